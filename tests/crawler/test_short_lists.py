"""A configured column that holds one or two articles only is still a list."""

from __future__ import annotations

import pytest

from crawler.pages.lists import PortalListPage
from tests.loopback import Site


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_short_column_loses_no_article(count: int) -> None:
    titles = [
        (f"/a/2026/{number}.html", f"宝鸡高新区第{number}次党建工作会议召开")
        for number in range(101, 101 + count)
    ]
    page = PortalListPage(Site.list_page(titles), "http://news.example.cn/djyw/")
    assert [(link.url, link.title) for link in page.links()] == [
        (f"http://news.example.cn{href}", title) for href, title in titles
    ]


def test_a_furnished_column_with_one_article_gives_it() -> None:
    body = """<html><head><meta charset="utf-8"><title>统战-皖江新闻网</title></head><body>
<header><nav class="main-nav"><ul><li><a href="/channel/21/">党建</a></li><li><a href="/channel/22/">经济</a></li></ul></nav></header>
<main><h2>统战</h2><div class="news-list"><div class="news-item"><h3><a href="/a/20261123/490098.html">统战部门举办同心圆专题研修班</a></h3>
<p class="summary">11月22日，研修班在党校开班，六十名学员参加。</p><div class="info"><span>2026-11-23 10:50</span></div></div></div>
<div class="pager"><span class="current">1</span></div></main>
<aside><h3>热点排行</h3><ol><li><a href="/a/20261123/490098.html">统战部门举办同心圆专题研修班</a></li></ol></aside>
<footer><p><a href="/about.html">关于我们</a>|<a href="/about.html">版权声明</a></p></footer></body></html>"""
    (link,) = PortalListPage(body.encode(), "http://news.example.cn/channel/23/").links()
    assert (link.url, link.published_at) == (
        "http://news.example.cn/a/20261123/490098.html",
        "2026-11-23T10:50:00+08:00",
    )
