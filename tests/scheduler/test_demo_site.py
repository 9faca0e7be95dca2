from __future__ import annotations

import http.client
import json
import re
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import pypdfium2
import pytest

from scheduler.demo.articles import SHANGHAI, SampleArticle, load_articles
from scheduler.demo.page_pdf import PageArticle, newspaper_page
from scheduler.demo.site import SampleWeb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=SHANGHAI)
THEMES = {
    *("two_new", "chain", "gig", "governance", "org", "organs"),
    *("soe", "mass", "study", "discipline", "venue", "service"),
}


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(NOW) as running:
        yield running


@pytest.fixture(scope="module")
def tables(web: SampleWeb) -> dict[str, dict[str, object]]:
    return {table["name"]: table for table in tomllib.loads(web.sources_toml())["source"]}


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def page(url: str) -> str:
    body = fetch(url)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030")


def found_urls(web: SampleWeb, table: dict[str, object]) -> set[str]:
    """Every address that the lists, feeds and indexes of a source name."""
    urls = set()
    for start in table["urls"]:  # type: ignore[attr-defined]
        urls |= _found_in(start, depth=2)
    return urls


def _found_in(url: str, depth: int) -> set[str]:
    text = page(url)
    if url.endswith(".pdf"):
        return {url}
    names = re.findall(r"(?i)(?:href|url)=[\"'\s]*([^\"'>\s]+)", text)
    names += re.findall(r"<(?:loc|link)>([^<]+)<", text) + re.findall(r'"url": "([^"]+)"', text)
    urls = {
        urljoin(url, name.replace("&amp;", "&")) for name in names if not name.startswith(("javascript", "#"))
    }
    deeper = {u for u in urls if depth and re.search(r"(node_\d+|paperindex)\.htm$|sitemap_news\.xml$", u)}
    return urls.union(*(_found_in(u, depth - 1) for u in deeper if u != url))


def grams(text: str, size: int = 4) -> set[str]:
    letters = re.sub(r"\W", "", text)
    return {letters[i : i + size] for i in range(len(letters) - size + 1)}


def test_starts_within_a_second() -> None:
    started = time.perf_counter()
    with SampleWeb(NOW):
        assert (
            time.perf_counter() - started < 3
        )  # 0.15 s on a quiet machine; the limit only catches a wrong order


def test_serves_two_hundred_pages_a_second(web: SampleWeb) -> None:
    connection = http.client.HTTPConnection(web.hosts["wanjiang"])
    paths = [path for path in web.sites["wanjiang"].replies if path.startswith("/a/")] * 10
    started = time.perf_counter()
    for path in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    assert len(paths) / (time.perf_counter() - started) > 200


def test_sources_file_names_fourteen_sources_of_all_kinds(tables: dict[str, dict[str, object]]) -> None:
    assert len(tables) == 14
    assert {table["kind"] for table in tables.values()} == {
        *("portal", "rss", "sitemap", "epaper", "pdf", "cms", "folder")
    }
    known = {"name", "kind", "publisher", "urls", "path", "zone", "region", "internal", "enabled", "interval"}
    assert all(set(table) <= known for table in tables.values())


def test_every_article_is_reachable_from_its_list(
    web: SampleWeb, tables: dict[str, dict[str, object]]
) -> None:
    for name, site in web.sites.items():
        if name == "broken-portal":
            continue
        found = found_urls(web, tables[name])
        for article in web.articles:
            if article.source == name:
                assert web.article_url(article) in found, (name, article.id)
        assert {site.base + path for path in site.paths.values()} <= found


def test_every_article_page_shows_its_title_text_and_first_publisher(web: SampleWeb) -> None:
    for article in web.articles:
        url = web.article_url(article)
        if article.file or url.endswith(".pdf"):
            continue
        text = page(url).replace("&#34;", '"')
        assert article.title.replace('"', "&#34;") in text or article.title in text
        assert all(line in text for line in article.paragraphs), article.id
        if "content_" not in url:
            assert article.publisher in text


def test_old_portal_declares_gb2312_and_sends_gb18030_without_a_charset(web: SampleWeb) -> None:
    site = web.sites["zhongbu"]
    url = site.base + next(path for path in site.replies if path.startswith("/show.asp"))
    with urllib.request.urlopen(url) as answer:
        body, kind = answer.read(), answer.headers["Content-Type"]
    assert kind == "text/html"
    assert b"charset=gb2312" in body
    assert "责任编辑" in body.decode("gb18030")


def test_no_link_of_a_live_site_is_dead(web: SampleWeb) -> None:
    for name, site in web.sites.items():
        if name == "broken-portal":
            continue
        for path, reply in list(site.replies.items()):
            if "html" not in reply.content_type:
                continue
            text = reply.body.decode(site.source.encoding)
            for link in re.findall(r"<(?:a|AREA)[^>]+href=\"([^\"#]+)\"", text):
                target = urljoin(site.base + path, link.replace("&amp;", "&"))
                if target.startswith(site.base) and "/search" not in target:
                    assert target.removeprefix(site.base) in site.replies, (path, link)


def test_unchanged_page_answers_304_to_its_validators(web: SampleWeb) -> None:
    url = web.sites["haixia"].base + "/sitemap_news.xml"
    with urllib.request.urlopen(url) as answer:
        validators = {
            "If-None-Match": answer.headers["ETag"],
            "If-Modified-Since": answer.headers["Last-Modified"],
        }
    for name, value in validators.items():
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(urllib.request.Request(url, headers={name: value}))
        assert error.value.code == 304
    with urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": '"old"'})) as answer:
        assert answer.status == 200


def test_hosts_have_their_own_address_robots_and_cookie(web: SampleWeb) -> None:
    assert len(set(web.hosts.values())) == len(web.hosts) == 13
    assert "Disallow: /search" in page(web.sites["wanjiang"].base + "/robots.txt")
    assert "Sitemap: " in page(web.sites["haixia"].base + "/robots.txt")
    with urllib.request.urlopen(web.sites["wanjiang"].base + "/channel/21/") as answer:
        assert answer.headers["Set-Cookie"].startswith("visit=1")


def test_requests_are_recorded_with_host_path_and_status(web: SampleWeb) -> None:
    before = len(web.requests)
    with pytest.raises(urllib.error.HTTPError):
        fetch(f"http://{web.hosts['cihu-zone']}/missing?a=1")
    assert web.requests[before:] == [(web.hosts["cihu-zone"], "/missing?a=1", 404)]


def test_broken_source_fails_and_faults_can_be_set_and_mended() -> None:
    with SampleWeb(NOW) as web:
        for name in ("broken-portal", "cihu-zone"):
            web.fail(name, 500)
            with pytest.raises(urllib.error.HTTPError) as error:
                fetch(f"http://{web.hosts[name]}/")
            assert error.value.code == 500
        web.fail("cihu-zone", None)
        assert fetch(f"http://{web.hosts['cihu-zone']}/")
        web.fail("cihu-zone", 0)
        with pytest.raises(urllib.error.URLError):
            fetch(f"http://{web.hosts['cihu-zone']}/")


def test_slow_source_waits_before_it_answers() -> None:
    with SampleWeb(NOW) as web:
        web.slow("cihu-zone", 0.3)
        started = time.perf_counter()
        fetch(f"http://{web.hosts['cihu-zone']}/")
        assert time.perf_counter() - started >= 0.3


def test_held_back_and_edited_articles_change_only_their_own_pages() -> None:
    with SampleWeb(NOW, port=18793, without={"cihu-07"}) as web:
        before = {p: r.etag for p, r in web.sites["cihu-zone"].replies.items() if p.endswith(".html")}
        assert "cihu-07" not in web.sites["cihu-zone"].paths
    with SampleWeb(NOW, port=18793, edits={"cihu-01": ("三百零七件", "三百一十七件")}) as web:
        site = web.sites["cihu-zone"]
        after = {p: r for p, r in site.replies.items() if p.endswith(".html")}
        assert set(after) - set(before) == {site.paths["cihu-07"]}
        assert "三百一十七件" in after[site.paths["cihu-01"]].body.decode()


def test_silent_source_has_nothing_newer_than_months(web: SampleWeb) -> None:
    newest = max(a.published for a in web.articles if a.source == "silent-portal")
    assert NOW - newest > timedelta(days=100)


def test_same_clock_and_port_give_the_same_addresses_and_bytes() -> None:
    with SampleWeb(NOW, port=18791) as web:
        first = web.sources_toml().splitlines()
        bytes_then = {name: {p: r.etag for p, r in site.replies.items()} for name, site in web.sites.items()}
    with SampleWeb(NOW + timedelta(hours=1), port=18791) as web:
        assert [line for line in web.sources_toml().splitlines() if "path" not in line] == [
            line for line in first if "path" not in line
        ]
        assert bytes_then == {
            name: {p: r.etag for p, r in s.replies.items()} for name, s in web.sites.items()
        }


def test_a_taken_port_is_no_obstacle() -> None:
    with SampleWeb(NOW, port=18792) as first, SampleWeb(NOW, port=18792) as second:
        assert set(first.hosts.values()).isdisjoint(second.hosts.values())


def test_counts_follow_the_data_and_are_large_enough(web: SampleWeb) -> None:
    counts = web.counts
    groups = Counter(a.group for a in web.articles if a.copy_of is None)
    assert counts["articles"] == len(web.articles) >= 130
    assert groups["zone-party"] == counts["relevant_stories"] >= 45
    assert groups["zone-economy"] >= 35
    assert groups["other-party"] >= 30
    assert groups["unrelated"] >= 8
    assert counts["reprints"] >= 14
    assert counts["zones"] >= 20
    assert counts["future"] == 1
    assert counts["articles_this_week"] < counts["articles"]


def test_relevant_articles_cover_all_themes_and_carry_zones(web: SampleWeb) -> None:
    relevant = [a for a in web.articles if a.relevant]
    assert {theme for a in relevant for theme in a.themes} == THEMES
    assert all(a.zones and a.themes for a in relevant)
    assert not any(a.themes for a in web.articles if not a.relevant)


def test_ids_and_addresses_are_unique(web: SampleWeb) -> None:
    assert len({a.id for a in web.articles}) == len(web.articles)
    pages = [web.article_url(a) for a in web.articles if not a.file]
    doubled = {url for url, times in Counter(pages).items() if times > 1}
    assert all(url.endswith(".pdf") for url in doubled)


def test_different_stories_share_next_to_nothing(web: SampleWeb) -> None:
    originals = [(a.id, grams(a.text)) for a in web.articles if a.copy_of is None]
    for (one, left), (other, right) in combinations(originals, 2):
        shared = len(left & right) / min(len(left), len(right))
        assert shared < 0.15, (one, other, shared)


def test_copies_are_disguised_later_and_name_the_first_publisher(web: SampleWeb) -> None:
    by_id = {a.id: a for a in web.articles}
    copies = [a for a in web.articles if a.copy_of]
    assert {a.how for a in copies} == {"plain", "halfwidth", "anonymised", "excerpt", "traditional"}
    for copy in copies:
        of = by_id[copy.copy_of or ""]
        assert copy.source != of.source
        if of.has_time and copy.has_time:
            assert copy.published > of.published, copy.id
        if copy.how in ("plain", "halfwidth", "excerpt"):
            assert copy.publisher == of.publisher
    anonymised = next(a for a in copies if a.how == "anonymised")
    assert "**" in anonymised.text
    assert "常州" not in anonymised.text + anonymised.title
    part = next(a for a in copies if a.how == "excerpt")
    assert 0.3 < len(part.text) / len(by_id[part.copy_of or ""].text) <= 0.4
    assert "高新區" in next(a for a in copies if a.how == "traditional").text


def test_dates_in_texts_follow_the_clock() -> None:
    text = next(a for a in load_articles(NOW) if a.id == "cihu-01").text
    assert "11月22日" in text
    assert "{d" not in "".join(a.text + a.title for a in load_articles(NOW))


def test_a_clock_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        load_articles(NOW.replace(tzinfo=None))


def test_clock_of_another_zone_means_the_same_instant() -> None:
    assert load_articles(NOW.astimezone(UTC)) == load_articles(NOW)


def test_feeds_sitemap_and_cms_lists_parse(web: SampleWeb) -> None:
    rss = ET.fromstring(fetch(web.sites["changjiang"].base + "/feed.xml"))
    atom = ET.fromstring(fetch(web.sites["beifang"].base + "/atom.xml"))
    assert len(rss.findall("channel/item")) == len(web.sites["changjiang"].paths)
    assert len(atom.findall("{http://www.w3.org/2005/Atom}entry")) == len(web.sites["beifang"].paths)
    records = [ET.fromstring(fetch(web.sites["xian-cms"].base + u)) for u in web.sites["xian-cms"].urls]
    assert sum(len(r.findall("recordset/record")) for r in records) == len(web.sites["xian-cms"].paths)
    lists = [json.loads(fetch(web.sites["chengdu-cms"].base + u)) for u in web.sites["chengdu-cms"].urls]
    assert sum(len(answer["data"]["list"]) for answer in lists) == len(web.sites["chengdu-cms"].paths)


def test_page_without_html_articles_has_only_its_pdf(web: SampleWeb) -> None:
    site = web.sites["xibu-epaper"]
    nodes = {path: reply.body.decode() for path, reply in site.replies.items() if "node_" in path}
    second = next(text for path, text in nodes.items() if path.endswith("node_2.htm"))
    assert len(nodes) == 2
    assert "content_" not in second
    assert "_pdf.pdf" in second


def test_newspaper_page_reads_back_character_by_character(web: SampleWeb) -> None:
    articles = [a for a in web.articles if a.source == "page-pdf"]
    text_page = pypdfium2.PdfDocument(fetch(web.article_url(articles[0])))[0].get_textpage()
    text = re.sub(r"\s", "", text_page.get_text_bounded())
    for article in articles:
        assert re.sub(r"\s", "", article.title) in text
        assert re.sub(r"\s", "", article.text) in text
    assert "征稿启事" in text
    left, bottom, right, top = text_page.get_charbox(0)
    assert 40 < left < right < 60
    assert bottom < top


def test_columns_of_a_page_stand_side_by_side() -> None:
    body = newspaper_page("样报", [PageArticle("标题两行", ["一二三四五六七八九十" * 30])])
    text_page = pypdfium2.PdfDocument(body)[0].get_textpage()
    lefts = {round(text_page.get_rect(i)[0] / 10) for i in range(text_page.count_rects())}
    assert len(lefts) >= 4


def test_no_line_of_a_page_begins_with_closing_punctuation(web: SampleWeb) -> None:
    pages = [r.body for site in web.sites.values() for r in site.replies.values() if "pdf" in r.content_type]
    assert len(pages) == 7
    for body in pages:
        text = pypdfium2.PdfDocument(body)[0].get_textpage().get_text_bounded()
        assert not [line for line in text.splitlines() if line.startswith(tuple("，。：；！？、）》”"))]


def test_hand_ins_are_written_in_all_formats(web: SampleWeb, tmp_path: Path) -> None:
    with SampleWeb(NOW) as own:
        written = own.drop_folder(tmp_path / "hand-ins")
        assert str(tmp_path) in own.sources_toml()
    assert {path.suffix for path in written} == {".txt", ".html", ".docx", ".pdf", ".eml"}
    shorts = next(path for path in written if "简讯" in path.name).read_bytes().decode("gb18030")
    assert "鞍山高新区" in shorts
    assert "锦州高新区" in shorts
    docx = next(path for path in written if path.suffix == ".docx")
    assert "零缺陷" in zipfile.ZipFile(docx).read("word/document.xml").decode()


def test_the_follow_up_is_a_story_of_its_own(web: SampleWeb) -> None:
    sequel = next(a for a in web.articles if a.follows)
    first = next(a for a in web.articles if a.id == sequel.follows)
    assert isinstance(first, SampleArticle)
    assert sequel.copy_of is None
    assert sequel.published > first.published
