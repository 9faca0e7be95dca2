"""A new source without code: looked at, proposed, shown, written."""

from __future__ import annotations

import tomllib

import pytest

from crawler.fetching import FetchError
from crawler.proposing import Proposal, propose
from crawler.sources.kinds import PortalSource
from tests.crawler.test_spiders import texts
from tests.loopback import Office, Site

FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>平渡新闻</title>{items}</channel></rss>"""
ITEM = "<item><title>平渡高新区第{n}次党建会议召开</title><link>{root}/a/{n}.html</link><pubDate>Fri, 20 Nov 2026 09:30:00 +0800</pubDate></item>"


def column(site: Site, count: int = 8) -> None:
    titles = [
        (f"/a/2026/{number}.html", f"平渡高新区第{number}次党建工作会议召开")
        for number in range(1001, 1001 + count)
    ]
    site.pages["/djyw/"] = site.list_page(titles)
    for href, title in titles:
        site.pages[href] = site.article_page(title, texts(1), source="平渡日报")


def test_a_column_page_is_proposed_as_a_portal(site: Site) -> None:
    column(site)
    (best,) = propose(f"{site.root}/djyw/", allow_private=True)
    assert (best.kind, best.url, len(best.links)) == ("portal", f"{site.root}/djyw/", 8)


def test_a_feed_that_the_page_names_comes_first(site: Site) -> None:
    column(site)
    page = site.pages["/djyw/"]
    assert isinstance(page, bytes)
    site.pages["/djyw/"] = page.replace(
        b"</head>", b'<link rel="alternate" type="application/rss+xml" href="/rss.xml"></head>'
    )
    items = "".join(ITEM.format(n=n, root=site.root) for n in range(1, 9))
    site.pages["/rss.xml"] = (200, {"Content-Type": "application/rss+xml"}, FEED.format(items=items).encode())
    kinds = [(proposal.kind, proposal.url) for proposal in propose(f"{site.root}/djyw/", allow_private=True)]
    assert kinds == [("rss", f"{site.root}/rss.xml"), ("portal", f"{site.root}/djyw/")]


def test_a_page_without_articles_gives_no_proposal(site: Site) -> None:
    site.pages["/about.html"] = (
        b"<html><head><title>x</title></head><body><p>\xe5\x85\xb3\xe4\xba\x8e\xe6\x88\x91\xe4\xbb\xac</p></body></html>"
    )
    assert propose(f"{site.root}/about.html", allow_private=True) == []
    with pytest.raises(FetchError, match="HTTP 404"):
        propose(f"{site.root}/none.html", allow_private=True)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://www.baoji-gxq.gov.cn/djgx/index.html", "baoji-gxq-gov-cn-djgx"),
        ("https://news.example.cn/", "news-example-cn"),
        ("http://127.0.0.1:8000/列表/", "127-0-0-1"),
    ],
)
def test_a_name_is_made_of_the_address(url: str, name: str) -> None:
    assert Proposal("portal", url).name == name


def test_a_source_is_shown_and_written_on_yes(site: Site, office: Office) -> None:
    column(site)
    office.write_sources("# my sources\n")
    command = (
        "parknews",
        "source",
        "add",
        "--allow-private",
        "--yes",
        "--name",
        "pingdu",
        "--zone",
        "平渡高新区",
        f"{site.root}/djyw/",
    )
    done = office.run(*command)
    assert done.returncode == 0, done.stderr
    assert "proposed: portal" in done.stdout
    assert "8 article(s)" in done.stdout
    assert "平渡日报" in done.stdout
    text = (office.folder / "sources.toml").read_text(encoding="utf-8")
    assert text.startswith("# my sources\n")
    (table,) = tomllib.loads(text)["source"]
    assert (table["name"], table["kind"], table["zone"], table["internal"]) == (
        "pingdu",
        "portal",
        "平渡高新区",
        True,
    )
    assert "pingdu" in office.run("scrapy", "list").stdout
    again = office.run(*command)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_a_source_is_tried_and_checked(site: Site, office: Office) -> None:
    column(site)
    table = '[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "平渡"\nurls = ["{root}{path}"]\ninternal = true\n'
    office.write_sources(
        table.format(name="good", root=site.root, path="/djyw/")
        + table.format(name="gone", root=site.root, path="/none/")
        + table.format(name="inner", root=site.root, path="/djyw/").replace(
            "internal = true\n", "enabled = false\n"
        )
    )
    tried = office.run("parknews", "source", "try", "good").stdout
    assert "good: 8 article(s)" in tried
    assert "党建工作推进会" in tried
    inner = office.call("parknews", "source", "try", "inner")
    assert inner.returncode == 1
    assert "leads to the private address 127.0.0.1; mark the source `internal = true`" in inner.stderr
    assert "urlopen" not in inner.stderr
    checked = office.run("parknews", "source", "check")
    assert checked.returncode == 1
    assert "ok   good" in checked.stdout
    assert "HTTP 404" in checked.stdout
    assert "1 of 2 sources work" in checked.stdout
    assert "failure(s) in a row" in office.run("parknews", "source", "show", "good").stdout


def test_what_was_proposed_is_a_valid_source() -> None:
    assert PortalSource(name="a", publisher="x", urls=["http://a.cn/"]).wants("http://a.cn/1.html")
