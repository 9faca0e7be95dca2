"""Printed lines joined to paragraphs."""

from __future__ import annotations

from crawler.extract.printed_lines import Printed, display_width, has_printed_lines, join_printed
from crawler.extract.torn_lines import is_finished

PARAGRAPHS = (
    "今年以来，涪陵高新区把党的组织建在产业链上，推动党员先锋作用发挥在关键环节，全年新增营收3.23亿元。",
    "涪陵高新区组建12支党员服务队，走访企业160家，协调解决用工、融资、用能等方面的问题90余件。",
)


def printed(text: str, width: int, *, indent: int) -> list[str]:
    """Set a paragraph in lines of `width` half characters, the first one shorter by `indent`."""
    lines, room = [""], width - indent
    for character in text:
        if display_width(lines[-1]) + display_width(character) > room:
            lines.append("")
            room = width
        lines[-1] += character
    return lines


def rows(lines: list[str]) -> list[Printed]:
    return [(line, number, False) for number, line in enumerate(lines)]


def joined(lines: list[str]) -> list[str]:
    return [
        text
        for text, _, _ in join_printed(rows(lines), is_finished, lambda _, line: line.startswith("本报讯"))
    ]


def test_widths_count_half_characters_without_spaces() -> None:
    assert display_width("营收3.23亿") == 10
    assert display_width("据 了 解") == 6


def test_paragraphs_with_and_without_indents_come_back() -> None:
    for indent in (0, 4):
        lines = [line for text in PARAGRAPHS * 2 for line in printed(text, 26, indent=indent)]
        assert "".join(joined(lines)) == "".join(PARAGRAPHS * 2)
        assert joined(lines)[:1] == [PARAGRAPHS[0]]


def test_columns_of_two_widths_are_both_joined() -> None:
    texts = ["".join(PARAGRAPHS).replace("。", "，", 1), "".join(PARAGRAPHS[::-1]).replace("。", "，", 1)]
    lines = [line for text in texts for line in printed(text, 26, indent=4)]
    lines += [line for text in texts for line in printed(text, 36, indent=4)]
    assert joined(lines) == [*texts, *texts]


def test_a_start_of_an_article_is_never_joined() -> None:
    lines = printed(PARAGRAPHS[0].rstrip("。"), 26, indent=4) * 3
    assert joined([*lines, "本报讯 近日，涪陵高新区"])[-1].startswith("本报讯")


def test_text_whose_lines_are_paragraphs_stays_as_it_is() -> None:
    lines = list(PARAGRAPHS * 10)
    assert not has_printed_lines([display_width(x) for x in lines], [True] * len(lines))
    assert joined(lines) == lines
