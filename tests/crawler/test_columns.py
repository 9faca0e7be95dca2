"""Lines stacked to blocks."""

from __future__ import annotations

from crawler.extract.columns import Block, body_size, stack
from crawler.extract.lines import Line
from crawler.extract.pdf import Frame
from tests.crawler.flows import line


def blocks(*lines: Line, rules: list[Frame] | None = None, boxes: list[Frame] | None = None) -> list[str]:
    return [block.text for block in stack(lines, rules or [], boxes or [])]


def test_lines_of_one_column_stack_and_neighbours_do_not() -> None:
    left = [line("甲乙丙丁戊", 0, 100 + 14 * k, order=10 * k) for k in range(3)]
    right = [line("子丑寅卯辰", 60, 100 + 14 * k, order=100 + 10 * k) for k in range(3)]
    assert blocks(*left, *right) == ["甲乙丙丁戊" * 3, "子丑寅卯辰" * 3]


def test_a_text_over_two_columns_is_continued_by_neither() -> None:
    lead = line("导语一行横跨下面两栏", 0, 100)
    below = [line("左栏文字", 0, 114, order=50), line("右栏文字", 60, 114, order=60)]
    assert blocks(lead, *below) == ["导语一行横跨下面两栏", "左栏文字", "右栏文字"]


def test_a_rule_or_a_box_parts_blocks() -> None:
    a, b = line("上面一行文字", 0, 100), line("下面一行文字", 0, 116, order=50)
    assert len(blocks(a, b)) == 1
    assert len(blocks(a, b, rules=[Frame(0, 104, 80, 104.5)])) == 2
    assert len(blocks(a, b, boxes=[Frame(-5, 104, 80, 200)])) == 2


def test_a_wider_step_ends_a_block() -> None:
    lines = [line("一二三四五六", 0, y, order=int(y)) for y in (100, 114, 128, 147, 161, 175)]
    assert [len(block.lines) for block in stack(lines)] == [3, 3]


def test_indents_and_short_lines_are_seen() -> None:
    block = Block(
        [
            line("首行缩进两字", 20, 100),
            line("这一行到了右边", 0, 114),
            line("没到。", 0, 128),
            line("又一段首行", 20, 142),
        ]
    )
    assert [block.is_indented(i) for i in range(4)] == [True, False, False, True]
    assert block.is_short(2)
    assert not block.is_short(1)


def test_the_body_size_is_what_most_running_text_has() -> None:
    text = [line("正文正文正文正文", 0, 100 + 14 * k, order=10 * k) for k in range(5)]
    title = line("很大很大很大很大很大的标题", 0, 60, size=40, order=900)
    assert body_size(stack([*text, title])) == 10.0
