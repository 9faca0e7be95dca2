"""Spiders over a loopback web: what is fetched, what is not, and what is said about it."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from store.database import read_scope
from store.models import Article, Crawl, Quarantine, Source
from tests.loopback import Answer, Office, Site

TEXTS = [
    "11月20日，宝鸡高新区召开新业态新就业群体党建工作推进会，发布“骑手先锋”行动方案，42家平台企业党组织负责人参加。",
    "会议要求，各街道党工委把快递小哥、网约车司机纳入网格管理，年内建成红色驿站36个，配备党建指导员58名。",
    "高新区党工委组织部负责人介绍，今年以来新成立行业党支部17个，发展党员9名，解决骑手停车、充电等难题120余件。",
]


def source(name: str, kind: str, url: str, more: str = "") -> str:
    return f'[[source]]\nname = "{name}"\nkind = "{kind}"\npublisher = "宝鸡新闻网"\nurls = ["{url}"]\ninternal = true\n{more}\n'


def texts(number: int) -> list[str]:
    return [
        f"{text}这是第{number}篇报道中的第{index}段，记者在第{number}街道看到，{number * 7}名党员正在值守。"
        for index, text in enumerate(TEXTS)
    ]


def portal(site: Site, count: int = 3) -> None:
    titles = [(f"/a/{number}.html", f"宝鸡高新区第{number}次党建工作会议召开") for number in range(count)]
    page = site.list_page(titles)

    def answer(headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        tag = f'"{len(page)}"'
        if headers.get("If-None-Match") == tag:
            return 304, {}, b""
        return 200, {"Content-Type": "text/html", "ETag": tag}, page

    site.pages["/list.html"] = answer
    for number, (href, title) in enumerate(titles):
        site.pages[href] = site.article_page(title, texts(number))


def test_a_source_is_listed_crawled_and_not_fetched_again(site: Site, office: Office) -> None:
    portal(site)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    assert office.run("scrapy", "list").stdout.split() == ["baoji"]

    first = office.run("scrapy", "crawl", "baoji")
    assert first.returncode == 0, first.stderr
    assert "source baoji: ok" in first.stderr
    with read_scope(office.engine) as session:
        kept = session.scalars(select(Article).order_by(Article.url)).all()
        assert [article.publisher for article in kept] == ["宝鸡日报"] * 3
        assert all(article.editor == "李想" and article.raw_page_id and article.story_id for article in kept)
        assert session.scalars(select(Source.state)).one() == "up"

    site.asked.clear()
    again = office.run("scrapy", "crawl", "baoji")
    assert again.returncode == 0
    assert sorted(site.asked) == [("/list.html", 304), ("/robots.txt", 404)]


def test_one_command_visits_all_and_says_what_went_wrong(site: Site, office: Office) -> None:
    portal(site, 2)
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /secret/\n")
    site.pages["/broken.html"] = (500, {}, b"oops")
    site.pages["/empty.html"] = site.list_page([])
    site.pages["/odd.html"] = site.list_page([("/odd/1.html", "宝鸡高新区党建联盟成立大会召开")])
    site.pages["/odd/1.html"] = b"\x00\x01\x02\x03" * 500
    site.pages["/later.html"] = (503, {"Retry-After": "7200"}, b"")
    office.write_sources(
        source("good", "portal", f"{site.root}/list.html")
        + source("broken", "portal", f"{site.root}/broken.html")
        + source("empty", "portal", f"{site.root}/empty.html")
        + source("odd", "portal", f"{site.root}/odd.html")
        + source("secret", "portal", f"{site.root}/secret/list.html")
        + source("later", "portal", f"{site.root}/later.html")
        + source("gone", "portal", "http://127.0.0.1:9/list.html")
    )
    done = office.run("parknews", "crawl")
    assert done.returncode == 0, done.stderr
    with read_scope(office.engine) as session:
        found = {
            row.name: (crawl.outcome, crawl.reason)
            for crawl, row in session.execute(select(Crawl, Source).join(Source))
        }
        later = session.scalars(select(Source).where(Source.name == "later")).one()
        assert later.next_check_at is not None
        assert later.checked_at is not None
        assert (later.next_check_at - later.checked_at).total_seconds() == 7200
        assert [row.url for row in session.scalars(select(Quarantine))] == [f"{site.root}/odd/1.html"]
    assert site.count("/secret/list.html") == 0
    assert found == {
        "good": ("ok", None),
        "broken": ("failed", "http_500"),
        "empty": ("failed", "no_links"),
        "odd": ("failed", "binary"),
        "secret": ("failed", "robots"),
        "later": ("failed", "http_503"),
        "gone": ("failed", "refused_connection"),
    }
    for name in ("broken", "empty", "secret", "gone"):
        assert f"failed    {name}:" in done.stdout


def test_a_host_that_does_not_answer_is_told_without_tracebacks(office: Office) -> None:
    office.write_sources(source("gone", "portal", "http://127.0.0.1:9/list.html"))
    log = office.run("scrapy", "crawl", "gone").stderr
    assert "source gone: failed (refused_connection)" in log
    assert "robots.txt" in log
    assert "Traceback" not in log


def test_a_page_that_cannot_be_read_is_replayed_when_it_can(site: Site, office: Office) -> None:
    site.pages["/list.html"] = site.list_page([("/a/1.html", "宝鸡高新区党建联盟成立大会召开")])
    site.pages["/a/1.html"] = b"\x00\x01\x02\x03" * 500
    office.write_sources(source("odd", "portal", f"{site.root}/list.html"))
    office.run("parknews", "crawl")
    shown = office.run("parknews", "article", "quarantine").stdout
    assert "binary" in shown
    assert "1 page(s) in quarantine" in shown
    assert office.run("parknews", "article", "replay").stdout.strip() == "1 unreadable"
    site.asked.clear()
    office.run("parknews", "crawl")
    assert site.count("/a/1.html") == 0


def test_a_private_address_is_refused_unless_the_source_says_so(site: Site, office: Office) -> None:
    portal(site)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html").replace("internal = true", ""))
    done = office.run("parknews", "crawl")
    assert done.returncode == 1
    assert "private address" in done.stdout
    assert site.asked == []


def test_an_article_over_several_pages_is_one(site: Site, office: Office) -> None:
    site.pages["/list.html"] = site.list_page(
        [("/a/1.html", "宝鸡高新区党建联盟成立大会召开"), ("/a/9.html", "宝鸡高新区党员志愿者走进社区")]
    )
    more = '<div class="page"><span>1</span> <a href="1_2.html">2</a> <a href="1_2.html">下一页</a></div>'
    site.pages["/a/1.html"] = site.article_page("宝鸡高新区党建联盟成立大会召开", texts(1), extra=more)
    site.pages["/a/1_2.html"] = site.article_page("宝鸡高新区党建联盟成立大会召开", texts(2))
    site.pages["/a/9.html"] = site.article_page("宝鸡高新区党员志愿者走进社区", texts(9))
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    office.run("parknews", "crawl")
    with read_scope(office.engine) as session:
        whole = session.scalars(select(Article).where(Article.url == f"{site.root}/a/1.html")).one()
        assert "第1街道" in whole.text
        assert "第2街道" in whole.text
    assert (site.count("/a/1.html"), site.count("/a/1_2.html")) == (1, 1)


def test_an_article_over_a_dozen_pages_is_whole_and_sites_learn_where_a_link_was_found(
    site: Site, office: Office
) -> None:
    came_from: dict[str, str | None] = {}

    def put(path: str, page: bytes) -> None:
        def answer(headers: dict[str, str]) -> Answer:
            came_from[path] = headers.get("Referer")
            return 200, {"Content-Type": "text/html"}, page

        site.pages[path] = answer

    parts = ["/a/1.html", *(f"/a/1_{number}.html" for number in range(2, 13))]
    for number, (path, following) in enumerate(zip(parts, [*parts[1:], ""], strict=True)):
        more = f'<div class="page"><a href="{following}">下一页</a></div>' if following else ""
        put(path, site.article_page("宝鸡高新区党建工作巡礼", texts(number), extra=more))
    put("/list.html", site.list_page([(parts[0], "宝鸡高新区党建工作巡礼")]))
    site.pages["/old/"] = (302, {"Location": "/list.html"}, b"")
    office.write_sources(source("baoji", "portal", f"{site.root}/old/#top"))
    done = office.run("scrapy", "crawl", "baoji")
    assert done.returncode == 0
    assert "WARNING" not in done.stderr
    with read_scope(office.engine) as session:
        whole = session.scalars(select(Article)).one()
        assert all(texts(number)[0] in whole.text for number in range(12))
    pages = ["/old/", "/list.html", *parts[:-1]]
    assert came_from == dict(zip(["/list.html", *parts], (site.root + page for page in pages), strict=True))


def test_a_newspaper_whose_reader_answers_in_json_is_read(site: Site, office: Office) -> None:
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    json_type = {"Content-Type": "application/json"}
    menu = [
        {"ID": "1", "BC": "第01版", "BM": "要闻", "IRCATELOG": "01"},
        {"ID": "2", "BC": "第02版", "BM": "党建", "IRCATELOG": "02"},
    ]
    article = {
        "docTitle": "平渡高新区党建联盟成立",
        "docAuthor": "林丽",
        "content": "".join(f"<p>{text}</p>" for text in texts(5)),
        "bc": "02",
    }
    script = '<script>$.post("/reader/layout/findBmMenu.do",{docPubTime:d},show)</script>'
    site.pages["/epaper/"] = (
        f'<html><head><meta charset="utf-8"><title>平渡日报</title>{script}</head><body><div id="app"></div></body></html>'.encode()
    )
    site.pages[f"/reader/layout/findBmMenu.do?docPubTime={today:%Y%m%d}"] = (
        200,
        json_type,
        json.dumps(menu).encode(),
    )
    page = f"/reader/layout/getBmDetail.do?bc={{}}&docpubtime={today:%Y}%2F{today:%m}%2F{today:%d}"
    site.pages[page.format("01")] = (200, json_type, b"[]")
    site.pages[page.format("02")] = (
        200,
        json_type,
        json.dumps(
            [{"ZB_GUID": "G-1", "DOCTITLE": "平渡高新区党建联盟成立"}, {"ZB_GUID": "G-2", "DOCTITLE": "广告"}]
        ).encode(),
    )
    site.pages["/reader/layout/detailData.do?guid=G-1"] = (200, json_type, json.dumps(article).encode())
    office.write_sources(source("pingdu", "epaper", f"{site.root}/epaper/"))
    done = office.run("parknews", "crawl")
    assert done.returncode == 0, done.stdout + done.stderr
    with read_scope(office.engine) as session:
        (kept,) = session.scalars(select(Article)).all()
        assert (kept.title, kept.author, kept.page_number) == ("平渡高新区党建联盟成立", "林丽", "02")
        assert kept.publisher == "宝鸡新闻网"
    office.run("parknews", "crawl")
    assert site.count("/reader/layout/detailData.do?guid=G-1") == 1


def test_a_drop_folder_is_read_once(office: Office) -> None:
    inbox = office.folder / "inbox"
    inbox.mkdir()
    (inbox / "稿件.txt").write_bytes(
        ("宝鸡高新区召开新业态党建推进会\n\n" + "\n".join(texts(3))).encode("gb18030")
    )
    (inbox / "again.txt").write_bytes(
        ("宝鸡高新区召开新业态党建推进会\n\n" + "\n".join(texts(3))).encode("gb18030")
    )
    (inbox / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    office.write_sources('[[source]]\nname = "inbox"\nkind = "folder"\npublisher = "本办"\npath = "inbox"\n')
    first = office.run("scrapy", "crawl", "inbox")
    assert "broken.pdf: bad_pdf" in first.stderr, first.stderr
    with read_scope(office.engine) as session:
        assert session.scalars(select(Article.title)).all() == ["宝鸡高新区召开新业态党建推进会"]
    second = office.run("scrapy", "crawl", "inbox")
    assert "0 new" in second.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[source]]\nname = "a"\nkind = "portl"\npublisher = "x"\nurls = ["http://a.cn/"]\n',
            "sources.toml:3: [[source]] kind must be",
        ),
        (
            '[[source]]\nname = "a"\nkind = "portal"\npublischer = "x"\nurls = ["http://a.cn/"]\n',
            "has no key publischer",
        ),
        (
            source("a", "portal", "http://a.cn/") + source("a", "rss", "http://b.cn/"),
            "[[source]] name 'a' is used in",
        ),
    ],
)
def test_a_faulty_sources_file_is_one_line_and_exit_code_2(office: Office, text: str, message: str) -> None:
    office.write_sources(text)
    done = office.run("parknews", "crawl")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (office.folder / "var").exists() or not list((office.folder / "var").glob("digest"))
