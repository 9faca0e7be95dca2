from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extract.metadata import read_metadata
from crawler.extract.published import published
from crawler.extract.tree import parse


def when(
    before: str, after: str = "", head: str = "", url: str = "", now: datetime | None = None
) -> str | None:
    return published(parse(before).lines, parse(after).lines, read_metadata(parse(head)), url, now)


@pytest.mark.parametrize(
    ("before", "after", "head", "url", "expected"),
    [
        ("<p>2023-06-15 09:26 来源：示例报</p>", "", '<meta name=publishdate content="2023-06-15">', "", "2023-06-15T09:26:00+08:00"),
        ("<p>2023-06-15</p>", "", '<meta name=pubdate content="2023-06-15 09:26:30">', "", "2023-06-15T09:26:30+08:00"),
        ("<p>昨天</p>", "", '<script>var ct = "1686792360";</script>', "", "2023-06-15T09:26:00+08:00"),
        ("", "<p>发布时间：2023年06月15日 09:26</p>", "", "", "2023-06-15T09:26:00+08:00"),
        ("<p>2023</p><p>06/15</p><p>09:26</p>", "", '<script>{"pubtime":"2023-06-15 09:26:00"}</script>', "", "2023-06-15T09:26:00+08:00"),
        ("<p>示例报 06-15 09:26 责编：甲</p>", "", "", "http://a.cn/20230615/1.html", "2023-06-15T09:26:00+08:00"),
        ("<p>更新时间：2023-06-16 10:00</p><p>发布时间：2023-06-15 09:26</p>", "", "", "", "2023-06-15T09:26:00+08:00"),
        ("<p>更新时间：2023-06-16 10:00</p>", "", "", "", "2023-06-16T10:00:00+08:00"),
        ("<p>成文日期：2020-01-01</p><p>发布日期：2023-06-15</p>", "", "", "", "2023-06-15"),
        ("", "", '<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2023-06-15T09:26:00+08:00"}</script>', "", "2023-06-15T09:26:00+08:00"),
        ("", "", "", "http://a.cn/2023/0615/c1-2.html", "2023-06-15"),
        ("<p>昨天</p>", "", '<script>[{"createdAt":"2019-09-07"},{"createdAt":"2019-09-06"}]</script>', "", None),
        ("<p>10-08 12:00</p>", "", '<meta name=dateupdate content="2019-10-08 12:00:57">', "", None),
        ("<p>2023年底前，园区将于2024-01-01正式启用，届时欢迎参观。</p>", "", "", "", None),
        ("<p>标题</p>", "<p>2026-02-11 09:24</p>", "", "", None),
    ],
)  # fmt: skip
def test_the_time_shown_wins_and_none_is_made_up(
    before: str, after: str, head: str, url: str, expected: str | None
) -> None:
    assert when(before, after, head, url) == expected


def test_a_relative_time_needs_to_know_when_the_page_was_read() -> None:
    now = datetime(2023, 6, 15, 2, 0, tzinfo=UTC)
    assert when("<p>2小时前</p>", now=now) == "2023-06-15T08:00:00+08:00"
    assert when("<p>2小时前</p>") is None


def test_a_page_without_address_is_dated_by_its_canonical_one() -> None:
    from crawler.pages.portal import PortalArticlePage

    page = (
        '<link rel="canonical" href="http://a.cn/2023/0615/c1.html"><title>小支部撬动大服务</title><h1>小支部撬动大服务</h1>'
        "<p>六月的云岭高新区，机器轰鸣、车流不息，一场由链上企业党支部轮流主持的项目会诊正在进行。</p>"
    )
    assert PortalArticlePage(page.encode()).to_items()[0].published_at == "2023-06-15"
