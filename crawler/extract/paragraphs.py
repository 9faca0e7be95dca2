"""Blocks in reading order back to paragraphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.extract.columns import Block


def paragraphs_of(blocks: list[Block]) -> list[str]:
    """Return the paragraphs of blocks in reading order; subheads are paragraphs of their own."""
    found: list[str] = []
    fresh = True
    for block in blocks:
        for head in block.heads:
            found.append(head.text)
            fresh = True
        for i, line in enumerate(block.lines):
            if fresh or block.is_indented(i) or _after_short_line(block, i):
                found.append(line.text)
            else:
                found[-1] = _joined(found[-1], line.text)
            fresh = False
    return [p for p in found if p]


def _after_short_line(block: Block, i: int) -> bool:
    return i > 0 and block.is_short(i - 1) and block.lines[i - 1].text[-1] in "。！？”…"


def _joined(a: str, b: str) -> str:
    latin = a[-1].isascii() and a[-1].isalpha() and b[0].isascii() and b[0].isalpha()
    return f"{a} {b}" if latin else a + b
