from __future__ import annotations

import pytest

from crawler.exceptions import NotAnArticle
from crawler.pages.lists import PortalListPage, is_article_url


@pytest.mark.parametrize(
    "url",
    [
        "http://a.cn/n1/2019/1013/c64036-31397105.html",
        "http://a.cn/art/2023/6/1/art_1234_56780.html",
        "http://a.cn/xwzx/202306/t20230615_812345.html",
        "http://a.cn/info/1012/20345.htm",
        "http://a.cn/Notice/2019/0802/561bcc4c-b807-418d-b084-953705845bd7.shtml",
        "http://a.cn/show.asp?id=3051",
        "http://a.cn/e6/6d/c14379a190061/page.htm",
        "http://a.cn/Data/View/1311",
        "https://a.cn/article/7QJSBr0hs52",
        "http://a.cn/a/346644779_115941",
    ],
)
def test_addresses_of_articles(url: str) -> None:
    assert is_article_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.cn/",
        "http://a.cn/djyw/",
        "http://a.cn/djyw/index.html",
        "http://a.cn/djyw/index_2.html",
        "http://a.cn/14379/list.htm",
        "http://a.cn/node2/n3715/index.html",
        "http://a.cn/about.html",
        "http://a.cn/files/20230615.docx",
    ],
)
def test_addresses_of_columns_and_files(url: str) -> None:
    assert not is_article_url(url)


def page(items: str, extra: str = "", url: str = "http://a.cn/djyw/") -> PortalListPage:
    return PortalListPage(
        f'<html><meta charset="utf-8"><body><ul class="list">{items}</ul>{extra}</body></html>'.encode(), url
    )


def item(number: int, title: str = "高新区开展主题党日活动") -> str:
    return f'<li><a href="/c/202306{number:02d}/{1000 + number}.html">{title}{number}</a><span>2023-06-{number:02d}</span></li>'


def test_fonts_that_nobody_closed_do_not_split_a_list() -> None:
    items = "".join(
        f'<li><font color=red><a href="/c/{1000 + i}.html">高新区开展主题党日活动之{i}</a></li>'
        for i in range(12)
    )
    assert len(page(items).links()) == 12


def test_pictures_and_titles_of_one_article_are_one_link_with_its_summary_ignored() -> None:
    items = "".join(
        f'<li><a href="/c/{1000 + i}.html"><img src=x.jpg></a><h3><a href="/c/{1000 + i}.html">园区支部风采展示之{i}</a></h3>'
        f'<p>摘要文字。<a href="/c/{1000 + i}.html">[详细]</a></p></li>'
        for i in range(8)
    )
    links = page(items).links()
    assert [link.title for link in links] == [f"园区支部风采展示之{i}" for i in range(8)]


def test_dates_beside_links_are_given_and_the_addresses_day_else() -> None:
    links = page("".join(item(i) for i in range(1, 9))).links()
    assert links[0].published_at == "2023-06-01"
    bare = page(
        "".join(
            f'<li><a href="/c/2023/06{i:02d}/{1000 + i}.html">高新区开展主题党日活动{i}</a></li>'
            for i in range(1, 9)
        )
    )
    assert bare.links()[2].published_at == "2023-06-03"


def test_relative_addresses_follow_the_base_element() -> None:
    markup = '<html><head><base href="http://b.cn/x/"></head><body>' + "".join(
        f'<p><a href="c/{1000 + i}.html">高新区开展主题党日活动{i}</a></p>' for i in range(6)
    )
    assert PortalListPage(markup.encode(), "http://a.cn/").links()[0].url == "http://b.cn/x/c/1000.html"


@pytest.mark.parametrize(
    ("extra", "following"),
    [
        ('<a href="index_2.html">下一页</a>', "http://a.cn/djyw/index_2.html"),
        ('<a href="?page=2">下页&gt;</a>', "http://a.cn/djyw/?page=2"),
        ('<link rel="next" href="/djyw/p2">', "http://a.cn/djyw/p2"),
        ('<div class="pager"><a href="3.html">›</a></div>', "http://a.cn/djyw/3.html"),
        ('<script>createPageHTML(5, 1, "index", "shtml");</script>', "http://a.cn/djyw/index_2.shtml"),
        ('<script>createPageHTML(2, 1, "index", "shtml");</script>', None),
        ('<a href="javascript:;">下一页</a>', None),
        ("", None),
    ],
)
def test_the_next_page_is_found(extra: str, following: str | None) -> None:
    assert page("".join(item(i) for i in range(1, 9)), extra).next_page() == following


def test_a_page_without_articles_says_so() -> None:
    with pytest.raises(NotAnArticle):
        page("<li><a href='/about.html'>关于</a></li>").links()
    with pytest.raises(NotAnArticle):
        PortalListPage(b'{"code": 200, "data": []}', "http://a.cn/api").links()


NAVIGATION = (
    "<div class=nav>"
    + "".join(f'<a href="/n{i}/index.html">栏目名称导航{i}</a>' for i in range(30))
    + "</div>"
)
MENU = (
    "<ul class=menu>"
    + "".join(f'<li><a href="/channel/{i + 100}">党建工作栏目{i}</a></li>' for i in range(30))
    + "</ul>"
)
SIDEBARS = "".join(
    f'<div class="box{b}"><ul>' + "".join(f'<li><a href="/x/2022/{b}{i}/t_{3000 + i}.html">推荐阅读文章的标题文字{b}{i}</a></li>' for i in range(10)) + "</ul></div>"
    for b in range(4)
)  # fmt: skip
CARD = '<div class="card card-{0}"><a href="/news/{0}"><img src=x.jpg></a><div><h3><a href="/news/{0}">{1}</a></h3><p>近日，高新区组织机关党员参观了红色教育基地。</p><span>2023-06-15</span></div></div>'
WHOLE = '<a href="/art/2023/6/15/art_33_{0}.html"><h4>{1}</h4><p>近日，高新区组织机关党员参观了红色教育基地。</p><span>2023-06-15</span></a>'
SPLIT = '<li><i>15</i><em>2023-06</em><a href="/show.aspx?id={0}">{1}</a></li>'
ROW = '<tr><td>·</td><td><a href="/viewnews.php?nid={0}" title="{1}并举行座谈会">{1}…</a></td><td>2023/6/15</td></tr>'
POST = '<article><h2><a href="/archives/{0}">{1}</a></h2><time>2023年6月15日</time></article>'
IN_FOLDER = '<li><a href="/djyw/202306/t20230615_{0}.html">{1}</a></li>'


@pytest.mark.parametrize(
    "entry", [CARD, WHOLE, SPLIT, ROW, POST], ids=["cards", "whole links", "split dates", "rows", "posts"]
)
def test_lists_of_any_make_are_found_beside_navigation(entry: str) -> None:
    entries = "".join(entry.format(1000 + i, f"高新区开展主题党日活动第{i}期") for i in range(9))
    links = PortalListPage(
        f"<html><body>{NAVIGATION}{MENU}<table>{entries}</table></body></html>".encode(), "http://a.cn/djyw/"
    ).links()
    assert len(links) == 9
    assert {link.published_at for link in links} == {"2023-06-15"}


@pytest.mark.parametrize("pager", ['<div><a href="index_1.html">下一页</a></div>', ""])
@pytest.mark.parametrize("order", ["{main}{side}", "{side}{main}"])
def test_a_column_is_told_from_larger_sidebars_by_its_pager_or_its_folder(order: str, pager: str) -> None:
    main = (
        "<ul class=list>"
        + "".join(IN_FOLDER.format(i, f"高新区开展主题党日活动第{i}期") for i in range(15))
        + "</ul>"
        + pager
    )
    markup = f"<html><body>{order.format(main=main, side=SIDEBARS)}</body></html>"
    assert {
        link.url.split("/")[3]
        for link in PortalListPage(markup.encode(), "http://a.cn/djyw/index.html").links()
    } == {"djyw"}


def test_a_channel_gives_the_articles_of_all_its_boxes() -> None:
    links = PortalListPage(
        f"<html><body>{NAVIGATION}{SIDEBARS}</body></html>".encode(), "http://a.cn/"
    ).links()
    assert len(links) == 40


def test_short_titles_count_where_dates_stand_beside() -> None:
    items = "".join(
        f'<li><a href="/a/{1000 + i}.html">喜报</a><span>2023-06-{10 + i}</span></li>' for i in range(9)
    )
    assert len(page(items).links()) == 9


def test_records_say_when_an_article_was_last_changed() -> None:
    record = '{"title": "高新区召开党建工作会议", "url": "/a/1.html", "publishDate": "2026-11-20", "update_time": 1763949600}'
    (link,) = PortalListPage(f"[{record}]".encode(), "http://a.cn/list").links()
    assert (link.published_at, link.updated_at) == ("2026-11-20", "2025-11-24T10:00:00+08:00")
