"""Headlines and their parts; subheads, captions and bylines told apart."""

from __future__ import annotations

from crawler.extract.columns import stack
from crawler.extract.headlines import Headline, captions_of, part_blocks
from crawler.extract.pdf import Frame
from tests.crawler.flows import block, line

NOTHING: tuple[list[Frame], list[Frame], list[Frame]] = ([], [], [])


def test_the_largest_line_is_the_title_above_it_the_kicker_below_it_the_subtitle() -> None:
    found = Headline(
        [line("引题在上", 0, 20, 14, 0), line("主标题很大", 0, 50, 30, 10), line("副题在下", 0, 70, 14, 20)]
    )
    assert (found.kicker, found.title, found.subtitle) == ("引题在上", "主标题很大", "副题在下")


def test_lines_of_two_like_sizes_are_one_title() -> None:
    found = Headline([line("上行标题", 0, 30, 26, 0), line("下行标题略小", 0, 60, 22, 10)])
    assert found.title == "上行标题 下行标题略小"


def test_a_slightly_larger_line_in_a_column_is_a_subhead() -> None:
    blocks = [
        block("甲一", x=0, order=0),
        *stack([line("小标题在此", 10, 245, 11, 300)]),
        block("乙一", x=0, y=262, order=400),
    ]
    parts = part_blocks(blocks, [], 10.0, NOTHING)
    assert [h.text for b in parts.texts for h in b.heads] == ["小标题在此"]
    assert parts.headlines == []


def test_a_byline_under_a_headline_belongs_to_it() -> None:
    title, byline = stack([line("一个标题", 0, 60, 22, 900)]), stack([line("■王明", 0, 82, 10, 950)])
    parts = part_blocks([*title, *byline, block("甲一", x=0, order=0)], [], 10.0, NOTHING)
    assert [h.byline for h in parts.headlines] == ["■王明"]


def test_text_right_below_a_picture_in_other_type_is_a_caption() -> None:
    text, caption = (
        block("甲一", x=0, y=300, order=0),
        stack([line("志愿者在车间检查。", 0, 260, 8.8, 500)])[0],
    )
    assert captions_of([text, caption], [Frame(0, 100, 120, 250)], 10.0) == {id(caption)}
