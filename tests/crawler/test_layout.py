"""What stands over the blocks of a page and how texts begin and end."""

from __future__ import annotations

import pytest

from crawler.extract.layout import End, Layout, Start
from crawler.extract.pdf import Frame
from tests.crawler.flows import block, head


def test_columns_beside_a_covered_one_stand_under_the_same_headline() -> None:
    columns = [block(t, x=100 * i, order=300 * i) for i, t in enumerate(("甲一", "乙一", "丙一"))]
    title = head("中栏", 110, 70, 26)
    layout = Layout(columns, [title], body=10.0)
    assert [layout.covers.get(id(column)) for column in columns] == [title] * 3


def test_a_rule_between_columns_keeps_them_apart() -> None:
    columns = [block(t, x=100 * i, order=300 * i) for i, t in enumerate(("甲一", "乙一"))]
    layout = Layout(columns, [head("左栏标题", 0, 70, 20)], [Frame(90, 80, 90.5, 240)], body=10.0)
    assert [id(column) in layout.covers for column in columns] == [True, False]


@pytest.mark.parametrize(("ends", "end"), [("半", End.OPEN), ("完。", End.CLOSED)])
def test_ends_of_texts(ends: str, end: End) -> None:
    text = block("甲一", x=0, order=0, ends=ends)
    assert Layout([text], [], body=10.0).ends[id(text)] is end


@pytest.mark.parametrize(
    ("first", "indent", "start"),
    [("甲一", True, Start.PARAGRAPH), ("甲一", False, Start.FLOWING), ("本报讯近日", True, Start.ARTICLE)],
)
def test_starts_of_texts(first: str, indent: bool, start: Start) -> None:
    text = block(first, x=0, order=0, indent=indent)
    assert Layout([text], [], body=10.0).starts[id(text)] is start
