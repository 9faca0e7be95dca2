from __future__ import annotations

import pytest

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.pagination import further_pages
from crawler.extract.scripted import scripted_markup
from crawler.extract.tree import parse
from crawler.items import ArticleItem, Image
from crawler.pages.base import join
from crawler.pages.page_kind import page_kind
from crawler.pages.portal import PortalArticlePage, PortalText, join_pages

P = "六月的云岭高新区，机器轰鸣、车流不息，一场由链上企业党支部轮流主持的项目会诊正在进行，企业的困难当场有了答复。"
ARTICLE = f"<html><head><title>小支部撬动大服务-示例网</title></head><body><h1>小支部撬动大服务</h1><p>2023-06-15 09:26 来源：示例报</p><div><p>{P}</p><p>{P[::-1]}。</p></div></body></html>".encode()
LIST = ("<html><body><ul>" + "".join(f'<li><a href="/c/2023/0615/{i + 1000}.html">高新区开展主题党日活动{i}</a></li>' for i in range(20)) + "</ul></body></html>").encode()  # fmt: skip


@pytest.mark.parametrize(
    ("body", "url", "kind"),
    [
        (b"%PDF-1.4\n...", "http://a.cn/x.pdf", "newspaper"),
        (b'<?xml version="1.0"?>\n<rss version="2.0"><channel/></rss>', "http://a.cn/feed", "feed"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"></feed>', "", "feed"),
        (b'<rdf:RDF xmlns="x"></rdf:RDF>', "", "feed"),
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": []}', "", "feed"),
        (b"<urlset></urlset>", "", "sitemap"),
        (b"<sitemapindex></sitemapindex>", "", "sitemap"),
        (b'{"data": []}', "", "list"),
        ("纯文字，没有标记。".encode(), "", "text"),
        (ARTICLE, "http://a.cn/c/2023/0615/1.html", "article"),
        (LIST, "http://a.cn/c/", "list"),
        (b"", "", "text"),
    ],
)
def test_the_kind_of_a_page_is_told_from_its_bytes(body: bytes, url: str, kind: str) -> None:
    assert page_kind(body, url) == kind


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\x00\x01\x02\x03" * 500, "binary"),
        (b"<p>" + b"x" * 5_000_001, "too_large"),
        (b"<div>" * 50_000, "too_deep"),
        (b"<script>var a=1</script><div id=app></div>", "script_shell"),
        (b"<title>404 Not Found</title><h1>404 Not Found</h1>", "error_page"),
        (b'<meta http-equiv=refresh content="0;url=/x"><p>...', "redirect_page"),
        (LIST, "list_page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pages_that_hold_no_article_say_why(body: bytes, reason: str) -> None:
    with pytest.raises((NotAnArticle, PageNotUnderstood)) as caught:
        PortalArticlePage(body, "http://a.cn/x").to_items()
    assert caught.value.reason == reason


def test_an_article_in_a_script_is_read_where_the_markup_has_none() -> None:
    markup = f"<p>{P}</p><p>{P}</p><p>{P}</p>".replace("/", "\\/").replace('"', '\\"')
    tree = parse(f'<div id=app></div><script>window.s={{"title":"x","content":"{markup}"}}</script>')
    assert (scripted_markup(tree) or "").count(P) == 3
    assert scripted_markup(parse("<script>var content = 'short'</script>")) is None


@pytest.mark.parametrize(
    ("links", "url", "expected"),
    [
        (
            '<a href="c1-2.html">2</a><a href="c1-3.html">3</a>',
            "http://a.cn/n/c1.html",
            ["c1-2.html", "c1-3.html"],
        ),
        ('<a href="/n/t_12_2.html">下一页</a>', "http://a.cn/n/t_12.html", ["/n/t_12_2.html"]),
        ('<a href="?page=1">1</a><a href="?page=2">2</a>', "http://a.cn/n/c1.html", ["?page=2"]),
        ('<a href="c2-2.html">2</a>', "http://a.cn/n/c1.html", []),
        ('<a href="/next/article.html">下一页</a>', "http://a.cn/n/c1.html", []),
        ('<a href="c1.html">1</a><a href="c1_2.html">2</a>', "http://a.cn/n/c1_2.html", []),
        (
            "<script>createPageHTML(3, 0, 't1', 'html')</script>",
            "http://a.cn/n/t1.html",
            ["t1_1.html", "t1_2.html"],
        ),
    ],
)
def test_further_pages_of_an_article(links: str, url: str, expected: list[str]) -> None:
    assert further_pages(parse(f"<p>{P}</p><div>{links}</div>"), 0, url) == expected


def test_pages_are_joined_with_every_paragraph_once() -> None:
    first = ArticleItem(
        "u1",
        "题",
        "一段写得够长的文字在这里。\n二段写得够长的文字在这里。",
        published_at="2023-06-15",
        page_urls=["u2"],
        flags=["short"],
    )
    second = ArticleItem(
        "u2",
        "题",
        "二段写得够长的文字在这里。\n三段写得够长的文字在这里。" + "长" * 60,
        editor="甲",
        images=[Image("i")],
    )
    joined = join_pages([first, second])
    assert joined.text.count("二段") == 1
    assert (joined.url, joined.editor, joined.published_at, joined.page_urls) == (
        "u1",
        "甲",
        "2023-06-15",
        ["u2"],
    )
    assert joined.images == [Image("i")]
    assert joined.flags == []
    with pytest.raises(ValueError, match="no pages"):
        join_pages([])


def test_text_of_nothing_is_empty() -> None:
    with pytest.raises(NotAnArticle):
        PortalText(" \n ").to_items()


@pytest.mark.parametrize(
    ("base", "address", "expected"),
    [
        ("http://a.cn/x/y.html", "../z.html#t", "http://a.cn/z.html"),
        ("http://a.cn/", "//b.cn/1", "http://b.cn/1"),
        ("http://a.cn/", "javascript:void(0)", None),
        ("http://a.cn/", "mailto:x@a.cn", None),
        ("http://a.cn/", "http://[bad", None),
        ("http://a.cn/", "ftp://a.cn/x", None),
        ("", "/x.html", "/x.html"),
    ],
)
def test_references_become_web_addresses_or_nothing(base: str, address: str, expected: str | None) -> None:
    assert join(base, address) == expected


Q = "产业链党委实行双书记制，每月召开一次联席会议，梳理上下游企业在用工、物流、融资等方面的需求清单，逐项销号。"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"小支部撬动大服务\n原创 张三 高新先锋 2023-06-15 09:26 发表于江城\n{P}\n\n{Q}\n\n编辑：何静\n审核：李四\n喜欢此内容的人还喜欢\n别的", ("小支部撬动大服务", "高新先锋", "张三", "何静", [P, Q])),
        (f"首页 > 新闻 > 正文\n小支部撬动大服务\n发布时间：2023-06-15 09:26\n来源：云岭日报\n作者：张三\n字号：大 中 小\n{P}\n{Q}\n（责任编辑：何静）\n上一篇：别的", ("小支部撬动大服务", "云岭日报", "张三", "何静", [P, Q])),
        (f"高新区召开会议\n云岭日报 2023年6月15日\n\n{P}\n{Q}\n相关阅读\n一条新闻\n", ("高新区召开会议", "云岭日报", None, None, [P, Q])),
        (f"小支部撬动大服务\n\n{P}\n{Q}\n", ("小支部撬动大服务", None, None, None, [P, Q])),
        (f"小支部撬动大服务\n□本报记者 张三 通讯员 李四\n{P}\n{Q}", ("小支部撬动大服务", None, "张三", None, ["□本报记者 张三 通讯员 李四", P, Q])),
        (f"小支部撬动大服务\n{P}\n{Q}\n2023年6月15日", ("小支部撬动大服务", None, None, None, [P, Q, "2023年6月15日"])),
        (f"{P}\n{Q}", ("六月的云岭高新区，机器轰鸣、车流不息", None, None, None, [P, Q])),
    ],
    ids=["account", "government", "glued date", "bare", "paper", "signed with a date", "no headline"],
)  # fmt: skip
def test_copied_texts_of_many_makes_are_read(
    text: str, expected: tuple[str, str | None, str | None, str | None, list[str]]
) -> None:
    item = PortalText(text).to_items()[0]
    assert (item.title, item.publisher, item.author, item.editor, item.text.split("\n")) == expected


def test_a_first_line_taken_for_the_headline_is_marked_unsure() -> None:
    assert "unsure_title" in PortalText(f"小支部撬动大服务\n\n{P}\n{Q}\n").to_items()[0].flags
    assert "title_from_text" in PortalText(f"{P}\n{Q}").to_items()[0].flags
