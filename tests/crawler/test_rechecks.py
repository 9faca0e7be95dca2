"""Known articles looked at again: corrections become revisions, at little cost and never instead of news."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from crawler.classify.classify import load_classifier
from crawler.ingest import Origin, ingest
from crawler.items import ArticleItem
from store.database import read_scope, session_scope
from store.fetched import FetchedPage
from store.hints import TRUST, Listed
from store.models import Article, ArticleVersion, PageValidator, RawPage, Source
from store.pages import prune_pages
from store.rechecks import note_freshness, note_listed, settle_hints, take_rechecks, worth_of_look
from tests.conftest import NOW
from tests.crawler.test_spiders import TEXTS, source, texts
from tests.loopback import Answer, Office, Site

HOUR = timedelta(hours=1)
TITLE = "宝鸡高新区召开党建工作会议"


def tagged(page: bytes, headers: dict[str, str]) -> Answer:
    tag = f'"{hashlib.sha256(page).hexdigest()[:12]}"'
    if headers.get("If-None-Match") == tag:
        return 304, {"ETag": tag}, b""
    return 200, {"Content-Type": "text/html; charset=utf-8", "ETag": tag}, page


def put(site: Site, path: str, page: bytes) -> None:
    site.pages[path] = lambda headers: tagged(page, headers)


def news(site: Site, count: int) -> list[str]:
    titles = [
        (f"/a/20261120_{number}.html", f"宝鸡高新区第{number}次党建工作会议召开") for number in range(count)
    ]
    put(site, "/list.html", site.list_page(titles))
    for number, (path, title) in enumerate(titles):
        put(site, path, site.article_page(title, texts(number)))
    return [path for path, _ in titles]


def crawl(office: Office, later: timedelta) -> None:
    """Visit all sources in a process whose clock is ahead."""
    code = (
        "import sys; from datetime import timedelta; from crawler.context import CrawlContext, utc_now\n"
        "from scheduler.crawls import crawl_here; from store.config import load_config\n"
        "c = CrawlContext(load_config(), now=lambda: utc_now() + timedelta(seconds=float(sys.argv[1])))\n"
        "crawl_here(c, c.sources, log_level='INFO')"
    )
    environment = os.environ | {
        "PARKNEWS_CONFIG": str(office.folder / "parknews.toml"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(later.total_seconds())],
        capture_output=True, text=True, env=environment, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def asked_articles(site: Site) -> list[tuple[str, int]]:
    found = [one for one in site.asked if one[0].startswith("/a/")]
    site.asked.clear()
    return found


def test_a_correction_is_noticed_by_one_conditional_request(site: Site, office: Office) -> None:
    path, *_ = news(site, 1)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    crawl(office, timedelta())
    assert asked_articles(site) == [(path, 200)]
    crawl(office, HOUR)
    assert asked_articles(site) == []
    crawl(office, 13 * HOUR)
    assert asked_articles(site) == [(path, 304)]
    crawl(office, 14 * HOUR)
    assert asked_articles(site) == []

    put(
        site,
        path,
        site.article_page("宝鸡高新区第0次党建工作会议召开", [*texts(0), "更正：参加人数应为58人。"]),
    )
    crawl(office, 27 * HOUR)
    assert asked_articles(site) == [(path, 200)]
    with read_scope(office.engine) as session:
        article = session.scalars(select(Article)).one()
        assert article.version == 2
        assert "更正" in article.text
        assert len(session.scalars(select(ArticleVersion)).all()) == 1
        assert session.scalars(select(Source.state)).one() == "up"


def test_a_page_that_is_gone_leaves_article_and_source_in_peace(site: Site, office: Office) -> None:
    path, *_ = news(site, 1)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    crawl(office, timedelta())
    site.pages[path] = (404, {}, b"gone")
    crawl(office, 13 * HOUR)
    assert (path, 404) in asked_articles(site)
    with read_scope(office.engine) as session:
        assert session.scalars(select(Article.version)).one() == 1
        assert session.scalars(select(Source.last_reason)).one() is None


def test_a_visit_asks_for_few_known_articles(site: Site, office: Office) -> None:
    news(site, 25)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    crawl(office, timedelta())
    asked_articles(site)
    crawl(office, 13 * HOUR)
    assert len(asked_articles(site)) == 1  # one list: a tenth, but at least one


@pytest.fixture
def known(engine: Engine) -> Engine:
    with session_scope(engine) as session:
        session.add(Source(name="a", kind="portal", publisher="甲", first_seen_at=NOW))
    keep(engine, "http://a.example/1", NOW)
    return engine


def keep(
    engine: Engine, url: str, seen_at: datetime, text: str = "\n".join(TEXTS), title: str = TITLE
) -> None:
    page = FetchedPage(url, "portal", url.encode(), seen_at)
    item = ArticleItem(url, title, text, page=page)
    with session_scope(engine) as session:
        ingest(session, item, load_classifier(None), Origin(1, "甲"), seen_at)


def taken(engine: Engine, later: timedelta, limit: int = 10, days: int = 14) -> list[str]:
    with session_scope(engine) as session:
        return [one.url for one in take_rechecks(session, ["a"], NOW + later, limit, days)]


def test_the_waits_double_and_end_after_two_weeks(known: Engine) -> None:
    times = [hours for hours in range(24 * 30) if taken(known, hours * HOUR)]
    assert times == [12, 24, 48, 96, 192]


def test_only_what_may_stand_in_an_issue_is_looked_at_again(known: Engine) -> None:
    keep(
        known,
        "http://a.example/2",
        NOW,
        "今天天气晴朗，气温在二十度上下，适合到郊外去走一走，看看秋天的树叶。" * 3,
        "本周天气晴好",
    )
    assert taken(known, 13 * HOUR) == ["http://a.example/1"]


def test_nothing_is_looked_at_when_that_is_switched_off(known: Engine) -> None:
    assert taken(known, 13 * HOUR, days=0) == []


def test_the_look_that_is_worth_most_comes_first(known: Engine) -> None:
    keep(known, "http://a.example/0", NOW + HOUR)
    assert taken(known, 14 * HOUR, limit=1) == ["http://a.example/1"]
    assert taken(known, 14 * HOUR, limit=1) == ["http://a.example/0"]
    assert taken(known, 14 * HOUR, limit=1) == []
    keep(known, "http://a.example/9", NOW + 40 * HOUR)
    assert taken(known, 80 * HOUR, limit=1) == ["http://a.example/9"]  # never looked at, the others were


def test_a_look_is_worth_more_the_more_corrections_may_have_come_in_time() -> None:
    never = [worth_of_look(hours * HOUR, -HOUR) for hours in (0, 12, 24, 60)]
    assert never == sorted(never)
    assert never[0] == 0
    assert worth_of_look(300 * HOUR, timedelta()) < worth_of_look(60 * HOUR, timedelta())
    assert worth_of_look(24 * HOUR, 12 * HOUR) < worth_of_look(24 * HOUR, timedelta()) < 1


LIST = "http://a.example/list.html"


def listed(engine: Engine, later: timedelta, number: int = 1, **said: str) -> None:
    """A list is read."""
    entry = (f"http://a.example/{number}", Listed(LIST, **said))
    with session_scope(engine) as session:
        note_listed(session, "a", [entry], NOW + later, 14)


def test_a_hint_is_followed_at_once_and_once_beyond_the_allowance(known: Engine) -> None:
    listed(known, HOUR, title=TITLE)
    assert taken(known, HOUR, limit=0) == []
    listed(known, 2 * HOUR, title="宝鸡高新区召开党建部署会议")
    assert taken(known, 2 * HOUR, limit=0) == ["http://a.example/1"]
    assert taken(known, 3 * HOUR, limit=0) == []
    listed(known, 4 * HOUR, title="宝鸡高新区召开党建部署会议")
    assert taken(known, 4 * HOUR, limit=0) == []


def test_old_and_irrelevant_articles_take_no_hints(known: Engine) -> None:
    listed(known, HOUR, title=TITLE)
    listed(known, timedelta(days=15), title="宝鸡高新区召开党建部署会议")
    assert taken(known, timedelta(days=15), limit=9) == []


def test_a_site_that_stamps_all_anew_every_day_soon_falls_back_to_the_allowance(known: Engine) -> None:
    for number in range(2, 40):
        keep(known, f"http://a.example/{number}", NOW)
    asked = []
    for day in range(8):
        at = timedelta(days=day, hours=1)
        for number in range(1, 40):
            listed(known, at, number, updated=(NOW + at).isoformat())
        with session_scope(known) as session:
            found = take_rechecks(session, ["a"], NOW + at, 2, 14)
        with session_scope(known) as session:
            settle_hints(session, found)
        asked.append(len(found))
    assert asked == [0, TRUST + 2, *[2] * 6]


def test_hints_that_are_true_are_all_followed(known: Engine) -> None:
    for number in range(2, 40):
        keep(known, f"http://a.example/{number}", NOW)
    for day in range(1, 5):
        at = timedelta(days=day)
        for number in range(1, 40):
            listed(known, at, number, title=f"{'甲乙丙丁戊'[day]}地党建工作会议召开")
        with session_scope(known) as session:
            found = take_rechecks(session, ["a"], NOW + at, 0, 14)
        for recheck in found:
            keep(known, recheck.url, NOW + at, f"{TEXTS[0]}第{day}次更正。")
        with session_scope(known) as session:
            settle_hints(session, found)
        assert len(found) == (0 if day == 1 else TRUST)


def test_an_untrusted_hint_comes_first_among_those_whose_time_has_come(known: Engine) -> None:
    keep(known, "http://a.example/2", NOW + HOUR)
    listed(known, HOUR, title=TITLE)
    listed(known, 2 * HOUR, title="宝鸡高新区召开党建部署会议")
    with session_scope(known) as session:
        session.scalars(select(Source)).one().trust = {"title": 0}
    assert taken(known, 3 * HOUR) == []
    assert taken(known, 14 * HOUR, limit=1) == ["http://a.example/1"]


def test_articles_of_which_no_list_tells_a_change_are_looked_at_before_the_others(known: Engine) -> None:
    keep(known, "http://a.example/0", NOW - HOUR)
    listed(known, HOUR, updated=NOW.isoformat())
    assert taken(known, 14 * HOUR, limit=1) == ["http://a.example/0"]


SITEMAP = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>{root}/a/20261120_1.html</loc><lastmod>{at}</lastmod></url></urlset>"""
FEED = """<feed xmlns="http://www.w3.org/2005/Atom"><title>要闻</title><entry><title>宝鸡高新区第2次党建工作会议召开</title>
<link href="{root}/a/20261120_2.html"/><published>2026-11-20T09:00:00+08:00</published><updated>{at}</updated></entry></feed>"""


def test_lists_maps_and_feeds_lead_to_what_was_changed_and_to_nothing_else(
    site: Site, office: Office
) -> None:
    """Read at once, looked at an hour later, when no article's time for a second look has come."""
    paths = news(site, 6)
    lists = [(path, f"宝鸡高新区第{n}次党建工作会议召开") for n, path in enumerate(paths)]
    del lists[1:3]
    put(site, "/list.html", site.list_page(lists))

    def stamp(at: datetime) -> None:
        for path, form in (("/map.xml", SITEMAP), ("/feed.xml", FEED)):
            site.pages[path] = (
                200,
                {"Content-Type": "text/xml"},
                form.format(root=site.root, at=at).encode(),
            )

    now = datetime.now(UTC)
    stamp(now - HOUR)
    office.write_sources(
        source("list", "portal", f"{site.root}/list.html")
        + source("map", "sitemap", f"{site.root}/map.xml")
        + source("feed", "rss", f"{site.root}/feed.xml")
    )
    crawl(office, timedelta())
    assert len(asked_articles(site)) == 6
    for number in range(3):
        title = "宝鸡高新区首次党建工作会议召开" if number == 0 else f"宝鸡高新区第{number}次党建工作会议召开"
        put(site, paths[number], site.article_page(title, [*texts(number), "更正：参加人数应为58人。"]))
    put(site, "/list.html", site.list_page([(paths[0], "宝鸡高新区首次党建工作会议召开"), *lists[1:]]))
    stamp(now + HOUR)
    crawl(office, HOUR)
    assert sorted(asked_articles(site)) == [(path, 200) for path in sorted(paths[:3])]
    with read_scope(office.engine) as session:
        assert len(session.scalars(select(ArticleVersion)).all()) == 3
    crawl(office, 2 * HOUR)
    assert asked_articles(site) == []
    assert "hints      updated 20 of 20 requests" in office.call("parknews", "source", "show", "map").stdout


def test_a_page_that_changed_around_the_same_article_is_not_kept_twice(known: Engine) -> None:
    page = FetchedPage("http://a.example/1", "portal", b"other ads", NOW + HOUR, etag='"2"')
    item = ArticleItem("http://a.example/1", "宝鸡高新区召开党建工作会议", "\n".join(TEXTS), page=page)
    with session_scope(known) as session:
        _, outcome = ingest(session, item, load_classifier(None), Origin(1, "甲"), NOW + HOUR)
        assert outcome == "seen"
        assert len(session.scalars(select(RawPage)).all()) == 1
        assert session.get_one(PageValidator, "http://a.example/1").etag == '"2"'


def test_newspaper_pages_have_no_freshness(engine: Engine) -> None:
    with session_scope(engine) as own:
        note_freshness(own, FetchedPage("http://a.example/p.pdf", "pdf", b"", NOW))
        assert own.scalars(select(PageValidator)).all() == []


def test_what_nobody_asks_for_any_more_is_forgotten(known: Engine) -> None:
    with session_scope(known) as session:
        prune_pages(session, NOW + timedelta(days=59), 180, 2**30)
        assert len(session.scalars(select(PageValidator)).all()) == 1
        prune_pages(session, NOW + timedelta(days=61), 180, 2**30)
        assert session.scalars(select(PageValidator)).all() == []
