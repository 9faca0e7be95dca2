"""Lines, blocks and headlines by hand."""

from __future__ import annotations

from crawler.extract.columns import Block
from crawler.extract.headlines import Headline
from crawler.extract.lines import Line
from crawler.extract.pdf import Char


def line(text: str, x: float, base: float, size: float = 10.0, order: int = 0) -> Line:
    return Line(
        [
            Char(
                c,
                x + i * size,
                base - 0.86 * size,
                x + (i + 1) * size,
                base + 0.14 * size,
                size,
                "F",
                order + i,
            )
            for i, c in enumerate(text)
        ]
    )


def block(
    first: str, *, x: float, y: float = 100, order: int, ends: str = "完。", indent: bool = True
) -> Block:
    """Return a column eight letters wide and ten lines long; `ends` closes or opens its last sentence."""
    size, filler = 10.0, "正文里的字而已呀"
    lines = [line((first + filler)[: 6 if indent else 8], x + (20 if indent else 0), y, size, order)]
    lines += [line(filler, x, y + 14 * k, size, order + 10 * k) for k in range(1, 9)]
    last = (filler[:4] + ends) if ends.endswith("。") else (filler[:7] + ends)
    lines.append(line(last, x, y + 126, size, order + 100))
    return Block(lines)


def head(title: str, x: float, base: float, size: float, order: int = 8000) -> Headline:
    return Headline([line(title, x, base, size, order)])
