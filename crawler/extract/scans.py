"""Lines read from a picture of a newspaper page, as the characters and frames that `crawler.extract.blocks` cuts.

A reader of pictures gives boxes around lines; places and sizes of their characters are reckoned here. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawler.extract.pdf import Char, PdfPage

#: A box drawn around a line is taller than its letters by about this factor (measured on made pages: 1.25-1.45).
_BOX_HEIGHT = 1.3
#: Sizes of running text differ by less than this share between lines of one page; they are made equal.
_SAME_SIZE = 0.16
#: A box at least this many times as high as wide is a vertical line.
TALL = 1.9
_MIN_SCORE = 0.5


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as it was read: its box in points from the page's top left corner, how sure the reader is (0-1)."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    vertical: bool = False


def page_of_lines(number: int, width: float, height: float, lines: Sequence[ReadLine]) -> PdfPage:
    """Return the page as if its letters had been printed as text; unsure lines are left out, `order` runs by box."""
    kept = [line for line in lines if line.score >= _MIN_SCORE and line.text.strip()]
    sizes = _evened([(_size(line), len(line.text)) for line in kept])
    chars: list[Char] = []
    for line, size in zip(kept, sizes, strict=True):
        chars += _column(line, size, len(chars)) if line.vertical else _row(line, size, len(chars))
    return PdfPage(number, width, height, chars, glyphs=len(chars))


def _em(letter: str) -> float:
    """Return a letter's usual width in ems."""
    return 0.52 if letter.isascii() else 1.0


def _size(line: ReadLine) -> float:
    """Return the size in points that length and height of the box agree on."""
    if line.vertical:
        return line.x1 - line.x0
    pitch = (line.x1 - line.x0) / max(0.5, sum(map(_em, line.text)))
    tall = (line.y1 - line.y0) / _BOX_HEIGHT
    return max(min(pitch, 1.25 * tall), 0.7 * tall)


def _evened(sizes: list[tuple[float, int]]) -> list[float]:
    """Return the sizes with those near the commonest one (by letters) made equal to it, the others rounded to steps."""
    ordered = sorted(sizes)
    half, body = sum(letters for _, letters in ordered) / 2, 9.0
    for size, letters in ordered:
        half -= letters
        if half <= 0:
            body = size
            break
    return [
        body if abs(size - body) <= _SAME_SIZE * body else max(1.0, round(2 * size) / 2) for size, _ in sizes
    ]


def _row(line: ReadLine, size: float, order: int) -> list[Char]:
    middle = (line.y0 + line.y1) / 2
    top, bottom = middle - size / 2, middle + size / 2
    step = (line.x1 - line.x0) / max(0.5, sum(map(_em, line.text)))
    chars: list[Char] = []
    x, blank = line.x0, False
    for letter in line.text:
        wide = step * _em(letter)
        if letter.isspace():
            blank = True
        else:
            chars.append(Char(letter, x, top, x + wide, bottom, size, "", order + len(chars), blank))
            blank = False
        x += wide
    return chars


def _column(line: ReadLine, size: float, order: int) -> list[Char]:
    letters = [letter for letter in line.text if not letter.isspace()]
    step = (line.y1 - line.y0) / max(1, len(letters))
    return [
        Char(letter, line.x0, y, line.x1, y + min(step, size), size, "", order + i)
        for i, letter in enumerate(letters)
        for y in [line.y0 + i * step]
    ]
