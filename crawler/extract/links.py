"""How strongly one block of a newspaper page looks like the continuation of another.

What speaks for it: an unfinished sentence meeting an unindented line, equal tops of neighbouring columns, one headline
over both, the next place in the content stream. Weights were set on pages made for the tests and on three real pages;
they are points, not probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.layout import End, Layout, Start, over, same_column

if TYPE_CHECKING:
    from crawler.extract.columns import Block
    from crawler.extract.headlines import Headline

_IMPOSSIBLE = -20.0
_FLOW = {
    (End.OPEN, Start.FLOWING): 3.0,
    (End.OPEN, Start.PARAGRAPH): -3.5,
    (End.OPEN, Start.ARTICLE): -7.0,
    (End.MAYBE, Start.FLOWING): -0.4,
    (End.MAYBE, Start.PARAGRAPH): 0.0,
    (End.MAYBE, Start.ARTICLE): -4.0,
    (End.CLOSED, Start.FLOWING): -4.0,
    (End.CLOSED, Start.PARAGRAPH): 0.0,
    (End.CLOSED, Start.ARTICLE): -4.0,
    (End.SIGNED, Start.FLOWING): -4.0,
    (End.SIGNED, Start.PARAGRAPH): -2.5,
    (End.SIGNED, Start.ARTICLE): -5.0,
}


def link_score(a: Block, b: Block, layout: Layout) -> float:
    """Return how strongly `b` looks like the continuation of `a`; links below 1.0 are not made."""
    if a is b or a.frame != b.frame:
        return _IMPOSSIBLE
    return (
        _FLOW[layout.ends[id(a)], layout.starts[id(b)]]
        + _place_score(a, b, layout)
        + _type_score(a, b, layout)
        + _cover_score(a, b, layout)
        + _stream_score(a, b, layout)
        + _upright_score(a, b, layout)
    )


def _type_score(a: Block, b: Block, layout: Layout) -> float:
    score = 0.0
    if max(a.size, b.size) > 1.05 * min(a.size, b.size):
        score -= 3.0
    if a.font != b.font:
        score -= 1.2
    if a.step and b.step and max(a.step, b.step) > 1.06 * min(a.step, b.step):
        score -= 1.0
    widths = layout.width_of(a), layout.width_of(b)
    wide, narrow = max(widths), min(widths)
    if min(len(a.lines), len(b.lines)) >= 2 or wide < 1.06 * narrow:
        score += 0.7 if wide < 1.06 * narrow else (-0.5 if wide < 1.35 * narrow else -1.5)
    return score


def _place_score(a: Block, b: Block, layout: Layout) -> float:
    if same_column(a, b):
        return _below_score(a, b, layout) if b.top >= a.y1 - 0.5 * a.size else -6.0
    if b.x0 >= a.x1 - 1.5 * a.size:
        return _right_score(a, b, layout)
    if b.top >= a.y1 - a.size:
        between = [h for h in layout.headlines if h.y0 > a.y1 - a.size and h.y1 < b.top + b.size]
        crossed = layout.ruled(a.y1, b.top, b) or any(over(h, b) for h in between)
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0)
        near = b.top - a.y1 < 3 * a.size and overlap > 0
        return -4.0 if crossed else (0.8 if near else -1.2)
    return -6.0


def _below_score(a: Block, b: Block, layout: Layout) -> float:
    gap, size = b.top - a.y1, a.size
    between = [
        t for t in layout.texts if t is not a and t is not b and a.y1 <= t.y1 <= b.top and same_column(t, b)
    ]
    headed = any(
        a.y1 - size < h.y0 and h.y1 < b.top + size and over(h, b) for h in layout.headlines if not h.vertical
    )
    score = 2.5 - 0.06 * max(0.0, gap / size - 2)
    score -= 3.0 * bool(between) + 6.0 * headed
    if layout.ruled(a.y1, b.top, b):
        regular = a.step and abs((b.lines[0].base - a.lines[-1].base) - a.step) < 0.08 * a.step
        score -= 0.5 if regular else 3.5
    return max(score, -8.0)


def _right_score(a: Block, b: Block, layout: Layout) -> float:
    gap, size = b.x0 - a.x1, a.size
    top_a, top_b = layout.tops[id(a)], layout.tops[id(b)]
    column_top = top_b >= b.top - 0.5 * size
    if abs(top_a - b.top) <= 1.7 * max(a.step, 1.3 * size):
        score = 2.0
    elif b.y1 <= a.top - size and b.y1 <= top_a - size:
        score = -5.0
    elif b.top < a.y1:
        score = 0.6
    else:
        score = -2.0 - min(3.0, (b.top - a.y1) / (12 * size))
    if not column_top:
        score -= 1.5
    between = [
        t
        for t in layout.texts
        if t is not a
        and t is not b
        and t.x0 > a.x1 - size
        and t.x1 < b.x0 + size
        and t.y0 < max(a.y1, b.y1)
        and t.y1 > min(a.y0, b.y0)
    ]
    score -= 2.2 * bool(between) + 0.9 * max(0.0, gap - 3 * size) / max(a.width, 8 * size)
    return score - 1.5 * layout.fenced(a, b)


def _cover_score(a: Block, b: Block, layout: Layout) -> float:
    over_a, over_b = layout.covers.get(id(a)), layout.covers.get(id(b))
    if over_a is not None and over_a is over_b:
        return 1.5
    first = over_b is not None and _is_first_under(b, over_b, layout)
    flowing = layout.starts[id(b)] is Start.FLOWING
    if over_a is not None and over_b is not None:
        # a text that runs on from under its own headline began in a column left of that headline
        return -1.0 if first and flowing else -2.5 - 1.5 * first
    return -1.5 if first and not flowing else 0.0


def _upright_score(a: Block, b: Block, layout: Layout) -> float:
    """A text that begins beside the top of a vertical headline begins an article, unless a sentence runs on into it."""
    if layout.ends[id(a)] is End.OPEN and layout.starts[id(b)] is Start.FLOWING:
        return 0.0
    if layout.uppers.get(id(b)) is a:
        return 0.0
    for head in layout.headlines:
        level = head.vertical and head.frame == b.frame and abs(head.y0 - b.top) < 2.5 * b.size
        beside = level and -2 <= b.x0 - head.x1 <= 3 * b.size
        if beside and (a.y1 <= head.y0 or (a.x1 <= head.x0 and min(a.y1, head.y1) - max(a.y0, head.y0) > 0)):
            same_top = abs(a.top - b.top) < 1.7 * max(a.step, a.size) and a.x0 - head.x1 < 0
            return -1.6 if same_top else -3.0
    return 0.0


def _is_first_under(block: Block, head: Headline, layout: Layout) -> bool:
    under = [t for t in layout.texts if layout.covers.get(id(t)) is head]
    return bool(under) and min(under, key=lambda t: (t.x0, t.top)) is block


def _stream_score(a: Block, b: Block, layout: Layout) -> float:
    if layout.reliability <= 0 or b.order < a.last_order:
        return -0.5 * layout.reliability
    between = [t for t in layout.texts if a.last_order < t.order < b.order]
    if between:
        return -0.4 * layout.reliability
    headed = any(a.last_order < h.order < b.order and h.size > 1.7 * layout.body for h in layout.headlines)
    return (0.0 if headed else 2.0) * layout.reliability
