from __future__ import annotations

import pytest

from crawler.extract.titles import find_title, is_set_off, split_declared, title_from_text
from crawler.extract.tree import Tree, parse

TEXT = "六月的云岭高新区，机器轰鸣、车流不息，一场由链上企业党支部轮流主持的项目会诊正在进行。"


def title(markup: str, *declared: str) -> tuple[str, Tree]:
    tree = parse(markup)
    first = next(line.index for line in tree.lines if line.text.startswith(TEXT[:5]))
    found = find_title(tree, list(declared), first)
    return (found.text if found else ""), tree


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (f"<title>小支部大服务-要闻-示例网</title><h1>小支部大服务</h1><p>{TEXT}</p>", "小支部大服务"),
        (f"<title>基层传真-示例网</title><div>小支部撬动大服务</div><div>2023年6月15日 09:26</div><p>{TEXT}</p>", "小支部撬动大服务"),
        (f"<title>示例日报数字报</title><h1><a href=/>示例日报</a></h1><table><td>小支部撬动大服务</td></table><p>{TEXT}</p>", "小支部撬动大服务"),
        (f"<title>小支部撬动大服务_示例网</title><div>{TEXT}</div>", "小支部撬动大服务"),
        (f"<title>小支部撬动大服务</title><h1>原创 小支部撬动大服务</h1><p>{TEXT}</p>", "小支部撬动大服务"),
        (f"<title>x</title><h2>相关阅读</h2><h2 class=title>小支部撬动大服务</h2><p>来源：示例报</p><p>{TEXT}</p>", "小支部撬动大服务"),
        (f"<title>关于加强基层党建工作的若干意见</title><p>关于加强基层</p><p>党建工作的若干意见</p><p>{TEXT}</p>", "关于加强基层 党建工作的若干意见"),
    ],
)  # fmt: skip
def test_the_headline_is_the_line_most_signs_agree_on(markup: str, expected: str) -> None:
    assert title(markup)[0] == expected


def test_kicker_and_subtitle_of_one_heading_are_told_from_the_headline() -> None:
    page = f"<title>小支部撬动大服务-示例网</title><h1>云岭高新区党建引领发展<br>小支部撬动大服务<br>——园区见闻</h1><p>来源：示例报</p><p>{TEXT}</p>"
    tree = parse(page)
    found = find_title(tree, [], 4)
    assert found is not None
    assert (found.kicker, found.text, found.subtitle) == (
        "云岭高新区党建引领发展",
        "小支部撬动大服务",
        "——园区见闻",
    )


def test_a_headline_is_set_off_and_a_documents_own_first_lines_are_not() -> None:
    for markup, expected in (
        (f"<h1>小支部撬动大服务</h1><p>{TEXT}</p>", True),
        (f"<p>小支部撬动大服务</p><p>{TEXT}</p>", False),
    ):
        tree = parse(f"<title>小支部撬动大服务</title><div>{markup}</div>")
        found = find_title(tree, [], 0)
        assert found is not None
        assert is_set_off(tree, found) is expected


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("小支部撬动大服务_要闻_示例网", "小支部撬动大服务"),
        ("小支部撬动大服务--地方频道--示例网", "小支部撬动大服务"),
        ("示例网-园区里的红色管家很忙碌", "园区里的红色管家很忙碌"),
        ("电影《我和我的祖国-夺冠》在哪儿拍摄的", "电影《我和我的祖国-夺冠》在哪儿拍摄的"),
        ("小支部撬动大服务", "小支部撬动大服务"),
    ],
)
def test_site_and_column_names_are_cut_from_a_declared_title(declared: str, expected: str) -> None:
    assert split_declared(declared) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("抓党建，办实事；促发展。\n第二段。", "抓党建，办实事"),
        ("第一句话很短。第二句。", "第一句话很短"),
        ("长" * 200, "长" * 40),
        ("", ""),
    ],
)
def test_a_text_without_headline_lends_its_first_sentence(text: str, expected: str) -> None:
    assert title_from_text(text) == expected
