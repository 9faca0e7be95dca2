"""Text that still has the lines as they were printed, joined to paragraphs again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

#: A line of the text: what it says, its number, whether more than one empty line stood before it.
Printed = tuple[str, int, bool]

#: Widths are counted in half characters. Columns of newspapers have 11 to 45 characters.
_NARROWEST, _WIDEST = 22, 96
#: Justified lines are up to three half characters short: a digit or a sign that might not begin a line.
_SLACK = 3
#: The indent of a paragraph, which tools drop.
_INDENT = 4
_FEWEST = 12
#: Lines that are looked at on each side of one to tell its column.
_REACH = 6


def display_width(text: str) -> int:
    """Return how wide a line is printed, in half characters; spaces of spread lines do not count."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in re.sub(r"\s", "", text))


def has_printed_lines(widths: list[int], finished: list[bool]) -> bool:
    """Say whether lines are those of printed columns: no line is a whole paragraph and most stop inside a sentence."""
    if len(widths) < _FEWEST:
        return False
    ordered = sorted(widths)
    if ordered[int(0.95 * (len(ordered) - 1))] > _WIDEST:
        return False
    inside = sum(
        not done and width >= _NARROWEST - _INDENT for width, done in zip(widths, finished, strict=True)
    )
    return inside >= 0.5 * len(widths)


def _columns(widths: list[int]) -> list[int]:
    """Return for every line the width of the column it stands in (0: in none), judged by the lines after and before it."""
    found: list[int] = []
    for i, width in enumerate(widths):
        columns = {_repeated(widths[i : i + _REACH]), _repeated(widths[max(0, i - _REACH + 1) : i + 1])}
        fitting = [c for c in columns if c >= _NARROWEST - _SLACK and width <= c + _SLACK]
        found.append(min(fitting, key=lambda c: abs(c - width), default=0))
    return found


def _repeated(widths: list[int]) -> int:
    """Return the greatest width that at least two more of these lines have, or 0."""
    ordered = sorted(widths, reverse=True)
    return next((w for k, w in enumerate(ordered) if sum(w - x <= _SLACK for x in ordered[k + 1 :]) >= 2), 0)


def join_printed(
    lines: list[Printed], finished: Callable[[str], bool], starts: Callable[[str, str], bool]
) -> list[Printed]:
    """Return printed lines joined to paragraphs; text whose lines are paragraphs comes back as it was.

    `finished` says whether a line ends a sentence, `starts` whether the second line cannot go on the first.
    """
    widths = [display_width(text) for text, _, _ in lines]
    if not has_printed_lines(widths, [finished(text) for text, _, _ in lines]):
        return lines
    columns = _columns(widths)
    joined: list[Printed] = []
    is_open = False
    for i, (text, number, gap) in enumerate(lines):
        column, width = columns[i], widths[i]
        full = bool(column) and width >= column - _SLACK
        indented = bool(column) and column - _INDENT - _SLACK <= width < column - _SLACK
        goes_on = full or (finished(text) and width <= max(column, widths[i - 1])) or (indented and is_open)
        if is_open and goes_on and not starts(joined[-1][0], text):
            before, first, first_gap = joined[-1]
            joined[-1] = (before + ("" if _wide_between(before, text) else " ") + text, first, first_gap)
        else:
            joined.append((text, number, gap))
        is_open = (full or indented) and not (finished(text) and not _runs_on(i, lines, columns, widths))
    return joined


def _runs_on(i: int, lines: list[Printed], columns: list[int], widths: list[int]) -> bool:
    """Say whether a paragraph goes on below a line that ends a sentence: the line is full, the next no indented one."""
    if i + 1 == len(lines) or widths[i] < columns[i] - _SLACK or not columns[i + 1]:
        return False
    return widths[i + 1] >= columns[i + 1] - _SLACK


def _wide_between(before: str, after: str) -> bool:
    return not (
        before[-1:].isascii() and before[-1:].isalpha() and after[:1].isascii() and after[:1].isalpha()
    )
