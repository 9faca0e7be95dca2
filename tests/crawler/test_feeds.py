from __future__ import annotations

import time

import pytest

from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.pages.feeds import FeedPage, SitemapPage

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1 or str()};" * 10}">' for i in range(1, 9))
    + "]><rss><channel><item><title>&a8;</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS.encode(),
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><link>http://a.cn/&x;</link></item></channel></rss>',
        b"<rss>" + b"<a>" * 200_000,
        b"<rss>" + b'<a b="c">' * 100_000 + b"</a>" * 100_000,
        b"<html><body>not a feed</body></html>",
        b"plain words",
        b"{",
        b'{"version": "https://jsonfeed.org/version/1"}',
        b"<rss>" + b"a" * 21_000_000,
    ],
    ids=[
        "laughs",
        "external entity",
        "deep",
        "deep and closed",
        "html",
        "words",
        "broken json",
        "empty json",
        "huge",
    ],
)
def test_hostile_and_foreign_input_is_refused_within_a_second(body: bytes) -> None:
    start = time.process_time()
    with pytest.raises(PageNotUnderstood):
        FeedPage(body, "http://a.cn/").links()
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<rss><channel></channel></rss>",
        b"<rss " + b" ".join(b'a%d="1"' % i for i in range(50_000)) + b"/>",
    ],
)
def test_feeds_without_entries_are_empty(body: bytes) -> None:
    with pytest.raises(NotAnArticle):
        FeedPage(body, "http://a.cn/").links()


def test_broken_feeds_give_what_can_be_read() -> None:
    body = "<rss><channel><item><title>党建 & 发展&nbsp;</title><link>http://a.cn/1?a=1&b=2</link></item><item><title>断".encode()
    links = FeedPage(body, "http://a.cn/").links()
    assert [(link.url, link.title) for link in links] == [("http://a.cn/1?a=1&b=2", "党建 & 发展")]


def test_a_feed_in_gbk_that_says_utf8_is_read() -> None:
    text = '<?xml version="1.0" encoding="utf-8"?><rss><channel><item><title>高新区党建工作推进会召开</title><link>http://a.cn/1</link></item></channel></rss>'
    assert FeedPage(text.encode("gbk")).links()[0].title == "高新区党建工作推进会召开"


def test_a_sitemap_is_no_feed_and_a_feed_no_sitemap() -> None:
    sitemap = b"<urlset><url><loc>http://a.cn/1.html</loc></url></urlset>"
    assert SitemapPage(sitemap).links()[0].url == "http://a.cn/1.html"
    assert SitemapPage(sitemap).sitemaps() == []
    with pytest.raises(PageError):
        FeedPage(sitemap).links()
    with pytest.raises(PageError):
        SitemapPage(b"<rss><channel/></rss>").links()


def test_feeds_and_maps_say_when_an_article_was_last_changed() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>党建</title><link href="http://a.cn/1"/>
        <published>2026-11-20T09:00:00+08:00</published><updated>2026-11-21T10:00:00+08:00</updated></entry></feed>"""
    sitemap = """<urlset xmlns:news="n"><url><loc>http://a.cn/1</loc><lastmod>2026-11-21T10:00:00+08:00</lastmod>
        <news:news><news:publication_date>2026-11-20T09:00:00+08:00</news:publication_date></news:news></url></urlset>"""
    feed = """{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "url": "http://a.cn/1", "title": "党建",
        "date_published": "2026-11-20T09:00:00+08:00", "date_modified": "2026-11-21T10:00:00+08:00"}]}"""
    for page in (
        FeedPage(atom.encode(), "http://a.cn/"),
        SitemapPage(sitemap.encode(), "http://a.cn/"),
        FeedPage(feed.encode(), "http://a.cn/"),
    ):
        (link,) = page.links()
        assert (link.published_at, link.updated_at) == (
            "2026-11-20T09:00:00+08:00",
            "2026-11-21T10:00:00+08:00",
        )
