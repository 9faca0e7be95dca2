from __future__ import annotations

import gc
import time
from contextlib import suppress

import pytest

from crawler.exceptions import PageNotUnderstood
from crawler.extract.tree import MAX_LINES, Node, Tree, from_text, parse


def texts(tree: Tree) -> list[str]:
    return [line.text for line in tree.lines]


def test_blocks_and_breaks_make_lines_and_inline_elements_do_not() -> None:
    assert texts(parse("<div>一<b>二</b><br>三<p>四</p>五</div>")) == ["一二", "三", "四", "五"]


def test_text_after_a_stray_end_of_html_is_read() -> None:
    assert texts(parse("<html><body><p>前</p></body></html><p>后</p>")) == ["前", "后"]


def test_unclosed_paragraphs_and_cells_are_closed() -> None:
    assert texts(parse("<p>一<p>二<table><tr><td>三<td>四</table>")) == ["一", "二", "三", "四"]


def test_scripts_styles_templates_and_form_fields_are_no_text() -> None:
    page = "<script>var a=1</script><style>p{}</style><textarea>x</textarea><select><option>y</select><p>正文"
    tree = parse(page)
    assert texts(tree) == ["正文"]
    assert tree.scripts == ["var a=1"]


def test_link_characters_are_counted_and_hidden_lines_marked() -> None:
    tree = parse(
        '<p>来源：<a href="/x">新华网</a></p><div style="display: none"><p>隐</p></div><p hidden>藏</p>'
    )
    assert [(line.links, line.hidden) for line in tree.lines] == [(3, False), (0, True), (0, True)]


def test_an_indent_inside_a_text_starts_a_paragraph() -> None:
    first, second = "第一段" * 12 + "。", "第二段" * 12 + "。"
    assert texts(parse(f"<td>　　{first}　　{second}</td>")) == [first, second]


def test_head_elements_are_collected() -> None:
    tree = parse(
        '<title> 标 题 </title><meta name="PubDate" content=" 2023-01-02 "><base href="http://a.cn/">'
        '<link rel="next" href="p2"><script type="application/ld+json">{}</script><meta http-equiv="Refresh" content="0;url=x">'
    )
    assert (tree.title, tree.meta["pubdate"], tree.base) == ("标 题", "2023-01-02", "http://a.cn/")
    assert (tree.link_rel["next"], tree.json_ld, tree.refresh) == ("p2", ["{}"], "0;url=x")


def test_elements_know_their_lines() -> None:
    tree = parse("<div id=a><p>一</p><p>二</p></div><p>三</p>")
    node = next(n for n in tree.nodes if n.get("id") == "a")
    assert texts(tree)[node.first : node.last] == ["一", "二"]


def test_lazy_images_give_their_real_address() -> None:
    tree = parse('<img src="data:image/gif;base64,R0" data-src="/a.jpg"><img src="b.jpg">')
    assert [image.url for image in tree.images] == ["/a.jpg", "b.jpg"]


def test_comments_after_the_end_of_the_page_are_kept() -> None:
    assert [text.strip() for _, text in parse("<p>x</p></html><!-- 尾 -->").comments] == ["尾"]


def test_plain_text_joins_wrapped_lines_only() -> None:
    long = "为企业发展出点子、谋思路、解难题，不断破解经济发展难题" * 3
    text = f"{long}\n工程。\n\n小标题\n第二段。"
    assert texts(from_text(text)) == [f"{long}工程。", "小标题", "第二段。"]


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 60_000,
        "<div " + " ".join(f"a{i}=1" for i in range(60_000)) + ">x",
        "<div " + " ".join(f'a{i}=">"' for i in range(60_000)) + ">x",
        "<b><i><font>" * 5_000 + "x",
        "<p>" * 200_000,
        "x<br>" * 100_000,
        '<a b="' * 100_000,
    ],
    ids=["deep", "attributes", "quoted attributes", "formatting", "paragraphs", "breaks", "open quotes"],
)
def test_hostile_markup_is_bounded(page: str) -> None:
    start = time.process_time()
    with suppress(PageNotUnderstood):
        assert len(parse(page).lines) <= MAX_LINES + 1
    assert time.process_time() - start < 2


@pytest.mark.parametrize("before", [0, 1, 17_000, 29_999, 30_001, 59_000])
def test_a_huge_tag_is_cut_wherever_it_stands(before: int) -> None:
    attributes = " ".join(f"a{number}" for number in range(11_000))
    tree = parse("x" * before + f"<p {attributes}>要闻</p><p>正文</p>")
    assert len(attributes) > 60_000
    assert [line.text for line in tree.lines][-2:] == ["要闻", "正文"]
    assert 0 < len(tree.lines[-2].node.attrs) < 1_000


def test_no_more_elements_are_read_than_a_page_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.extract.tree.MAX_NODES", 6)
    tree = parse("<p>一</p><p>二<b>三</b></p><p>四</p>")
    assert [node.tag for node in tree.nodes] == ["html", "head", "body", "p", "p", "b"]
    assert [line.text for line in tree.lines] == ["一", "二"]


def test_links_know_their_own_text_and_what_stands_in_them_knows_its_link() -> None:
    tree = parse('<p>看<a href="/1">一 <b class=x>二</b></a>和<a href="/2"><br>三</a></p><a>无</a>')
    first, second = tree.links
    assert (tree.link_text(first), tree.link_text(second)) == ("一 二", "三")
    bold = next(n for n in tree.nodes if n.tag == "b")
    assert (bold.link, bold.is_link, first.is_link) == (first.index, False, True)
    assert [n.link for n in tree.nodes if n.tag == "a"] == [first.index, second.index, -1]


def test_elements_know_what_they_stand_in() -> None:
    tree = parse("<div id=a><p><b>一</b></p></div><p id=c>二</p>")
    by_id = {n.get("id"): n for n in tree.nodes}
    bold = next(n for n in tree.nodes if n.tag == "b")
    assert bold.is_within(by_id["a"])
    assert bold.is_within(bold)
    assert not bold.is_within(by_id["c"])
    assert not by_id["a"].is_within(bold)
    assert [n.tag for n in bold.ancestors(2)] == ["b", "p"]


def test_a_tree_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        before = _nodes()
        tree = parse('<p><a href="/x">一</a></p>' * 500)
        assert _nodes() >= before + 1000
        del tree
        assert _nodes() == before
    finally:
        gc.enable()


def test_a_long_chain_of_parents_is_freed_without_recursion() -> None:
    node = None
    for index in range(200_000):
        node = Node("b", {}, node, 0, 0, index)
    del node


def _nodes() -> int:
    return sum(isinstance(found, Node) for found in gc.get_objects())
