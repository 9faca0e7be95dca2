"""Columns of a newspaper page linked to the flow of one article each.

Every pair of blocks gets a score from what speaks for the second continuing the first: an unfinished sentence meeting
an unindented line, equal tops of neighbouring columns, one headline over both, the next place in the content stream.
Weights were set on pages made for the tests and on four real pages; they are points, not probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.columns import CLOSERS, SENTENCE_END, Block, usual_font
from crawler.extract.furniture import ends_article, is_byline, starts_article

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.headlines import Headline
    from crawler.extract.pdf import Frame

#: Links that score less are not made; without a sentence running on more must speak for them.
_THRESHOLD, _THRESHOLD_UNSURE = 1.0, 2.0
_IMPOSSIBLE = -20.0
#: Beyond this many blocks a page is a table or an attack; the scores are quadratic.
MAX_BLOCKS = 400


class End(Enum):
    """How a block ends."""

    OPEN = "in the middle of a sentence"
    MAYBE = "with a sentence in a full line"
    CLOSED = "with a sentence in a short line"
    SIGNED = "with its author"


class Start(Enum):
    """How a block begins."""

    FLOWING = "without indent"
    PARAGRAPH = "with an indent or a subhead"
    ARTICLE = "with 本报讯 or a byline"


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


@dataclass
class Layout:
    """A page's blocks with what stands between them."""

    texts: list[Block]
    headlines: list[Headline]
    rules: Sequence[Frame] = ()
    pictures: Sequence[Frame] = ()
    body: float = 9.0
    covers: dict[int, Headline] = field(default_factory=dict)
    direct: set[int] = field(default_factory=set)
    tops: dict[int, float] = field(default_factory=dict)
    starts: dict[int, Start] = field(default_factory=dict)
    ends: dict[int, End] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.texts = sorted(self.texts, key=lambda b: b.order)[:MAX_BLOCKS]
        self.usual_font = usual_font(self.texts, self.body)
        self._find_covers()
        for block in self.texts:
            self.starts[id(block)] = _start(block, self._column_left(block))
            self.ends[id(block)] = _end(block, self._column_right(block))
        self.reliability = self._stream_reliability()

    def _column_left(self, block: Block) -> float:
        """Where unindented lines of the column begin; one or two lines cannot tell by themselves."""
        if len(block.lines) > 2:
            return block.left
        size = block.size
        same = [
            t.left
            for t in self.texts
            if _same_column(t, block)
            and abs(t.left - block.x0) < 3.3 * size
            and t.right > block.right - 1.2 * size
        ]
        return min(same, default=block.left)

    def _column_right(self, block: Block) -> float:
        if len(block.lines) > 3:
            return block.right
        size = block.size
        same = [
            t.right for t in self.texts if _same_column(t, block) and abs(t.left - block.left) < 2.5 * size
        ]
        return max(same, default=block.right)

    def _find_covers(self) -> None:
        """Find the headline each block stands under, directly or below other blocks of the same column."""
        for block in sorted(self.texts, key=lambda b: b.top):
            above = [
                h for h in self.headlines if not h.vertical and h.frame == block.frame and _over(h, block)
            ]
            head = max(above, key=lambda h: h.y1, default=None)
            blocker = max(
                (t for t in self.texts if t is not block and _over(t, block)),
                key=lambda t: t.y1,
                default=None,
            )
            self.tops[id(block)] = block.top
            if blocker is not None and (head is None or blocker.y1 > head.y1):
                self._inherit(block, blocker)
            elif head is not None:
                self.covers[id(block)] = head
                if block.top - head.y1 < 6 * self.body or self._pictured(head, block):
                    self.direct.add(id(block))
        self._spread_covers()

    def _pictured(self, head: Headline, block: Block) -> bool:
        """Whether a picture fills the room between a headline and a text."""
        return any(
            p.y0 >= head.y1 - 4
            and p.y1 <= block.top + 4
            and min(p.x1, block.x1) - max(p.x0, block.x0) > 0.5 * min(block.width, p.width)
            and p.height > 0.5 * (block.top - head.y1)
            for p in self.pictures
        )

    def _spread_covers(self) -> None:
        """Columns beside a covered one, free up to the headline's height, stand under the same headline."""
        queue = [b for b in self.texts if id(b) in self.direct]
        while queue:
            block = queue.pop()
            head = self.covers[id(block)]
            for other in self.texts:
                if self._may_share(other, head) and self._shares(block, other, head):
                    self.covers[id(other)] = head
                    queue.append(other)

    def _may_share(self, block: Block, head: Headline) -> bool:
        """Whether a block has no headline of its own, or only one farther up."""
        own = self.covers.get(id(block))
        free = own is None or (own is not head and id(block) not in self.direct and own.y1 < head.y0)
        return free and not self._opens_beside(block)

    def _opens_beside(self, block: Block) -> bool:
        """Whether a block begins beside the top of a vertical headline."""
        return any(
            h.vertical
            and abs(h.y0 - block.top) < 2.5 * block.size
            and (-2 <= block.x0 - h.x1 <= 3 * block.size or -2 <= h.x0 - block.x1 <= 3 * block.size)
            for h in self.headlines
        )

    def _shares(self, block: Block, other: Block, head: Headline) -> bool:
        size = block.size
        gap = max(other.x0 - block.x1, block.x0 - other.x1)
        alike = abs(other.size - size) < 0.04 * size and max(block.width, other.width) < 1.08 * min(
            block.width, other.width
        )
        level = head.y0 - 2 * size <= other.top <= block.top + 1.7 * max(block.step, size)
        if not (alike and level and -0.5 * size <= gap <= 3.2 * size) or self.fenced(block, other):
            return False
        return not any(
            t is not other and t.y1 > head.y0 and t.y1 <= other.top + size and _over(t, other)
            for t in self.texts
        )

    def _inherit(self, block: Block, upper: Block) -> None:
        """A block close below another stands under the same headline; so do columns below a wide lead."""
        if self._opens_beside(block):
            return
        gap, step = block.top - upper.y1, max(block.step, 1.3 * block.size)
        other = upper.size > 1.05 * block.size or upper.font != block.font
        wide = upper.width > 1.4 * block.width and len(upper.lines) <= 8
        reach = 4.0 if other else (2.5 if wide else 0.0)
        inside = upper.x0 - 2 * upper.size <= block.x0 and block.x1 <= upper.x1 + 2 * upper.size
        lead = inside and id(upper) in self.direct and gap <= reach * step
        regular = abs(block.lines[0].base - upper.lines[-1].base - upper.step) < 0.08 * step
        near = gap <= 2.2 * step and (regular or not self.ruled(upper.y1, block.top, block))
        if (near or lead) and id(upper) in self.covers:
            self.covers[id(block)] = self.covers[id(upper)]
            if lead:
                self.direct.add(id(block))
        if near and _same_column(upper, block):
            self.tops[id(block)] = self.tops[id(upper)]

    def ruled(self, top: float, bottom: float, block: Block) -> bool:
        """Whether a level rule parts two heights over most of a block's width."""
        return any(
            r.width > r.height
            and top - 2 <= (r.y0 + r.y1) / 2 <= bottom + 2
            and min(r.x1, block.x1) - max(r.x0, block.x0) > 0.6 * block.width
            for r in self.rules
        )

    def fenced(self, a: Block, b: Block) -> bool:
        """Whether an upright rule stands between two neighbouring columns."""
        left, right = min(a.x1, b.x1) - a.size, max(a.x0, b.x0) + a.size
        top, bottom = max(a.y0, b.y0), min(a.y1, b.y1)
        return any(
            r.height > r.width
            and left <= (r.x0 + r.x1) / 2 <= right
            and min(bottom, r.y1) - max(top, r.y0) > 10
            for r in self.rules
        )

    def _stream_reliability(self) -> float:
        """Return how far the stream's order agrees with sentences (0-1): texts that follow each other must fit."""
        good = bad = 0
        for a, b in pairwise(self.texts):
            end, start = self.ends[id(a)], self.starts[id(b)]
            if end is End.OPEN and start is Start.FLOWING:
                good += 2
            elif end is End.OPEN or (end in (End.CLOSED, End.SIGNED) and start is Start.FLOWING):
                bad += 2
            elif self._runs_on(a, b):
                good += 1
            else:
                bad += 0
        return max(0.0, (good - 1.5 * bad) / (good + bad)) if good + bad > 2 else 0.3

    @staticmethod
    def _runs_on(a: Block, b: Block) -> bool:
        below = _same_column(a, b) and 0 <= b.top - a.y1 < 8 * a.size
        return below or (0 <= b.x0 - a.x1 < 6 * a.size and b.top <= a.y1)


def _over(upper: Block | Headline, block: Block) -> bool:
    overlap = min(upper.x1, block.x1) - max(upper.x0, block.x0)
    return upper.y1 <= block.top + 0.4 * block.size and overlap > 0.4 * min(upper.width, block.width)


def _same_column(a: Block, b: Block) -> bool:
    overlap = min(a.x1, b.x1) - max(a.x0, b.x0)
    return overlap > 0.7 * min(a.width, b.width) and max(a.width, b.width) < 1.9 * max(
        min(a.width, b.width), 6 * a.size
    )


def _start(block: Block, left: float) -> Start:
    if starts_article(block.spaced) or block.byline:
        return Start.ARTICLE
    if block.heads or block.is_indented(0, left):
        return Start.PARAGRAPH
    return Start.FLOWING


def _end(block: Block, right: float) -> End:
    last = block.lines[-1]
    alone = len(block.lines) == 1 or block.lines[-2].text[-1] in CLOSERS
    if (is_byline(last.spaced) and alone) or ends_article(block.text):
        return End.SIGNED
    tail = block.text.rstrip("”’）》】」』")[-1:]
    if tail not in SENTENCE_END + "：":
        return End.OPEN
    edge = max(right, block.right)
    short = block.is_short(len(block.lines) - 1) or last.x1 < edge - 1.2 * block.size
    return End.CLOSED if short and tail != "：" else End.MAYBE


# --- scores -----------------------------------------------------------------------------------------------------------


def link_score(a: Block, b: Block, layout: Layout) -> float:
    """Return how strongly `b` looks like the continuation of `a`; links below 1.0 are not made."""
    if a is b or a.frame != b.frame:
        return _IMPOSSIBLE
    return (
        _FLOW[layout.ends[id(a)], layout.starts[id(b)]]
        + _place_score(a, b, layout)
        + _type_score(a, b)
        + _cover_score(a, b, layout)
        + _stream_score(a, b, layout)
        + _upright_score(a, b, layout)
    )


def _type_score(a: Block, b: Block) -> float:
    score = 0.0
    if max(a.size, b.size) > 1.05 * min(a.size, b.size):
        score -= 3.0
    if a.font != b.font:
        score -= 1.2
    if a.step and b.step and max(a.step, b.step) > 1.06 * min(a.step, b.step):
        score -= 1.0
    wide, narrow = max(a.width, b.width), min(a.width, b.width)
    if min(len(a.lines), len(b.lines)) >= 2:
        score += 0.7 if wide < 1.06 * narrow else (-0.5 if wide < 1.35 * narrow else -1.5)
    return score


def _place_score(a: Block, b: Block, layout: Layout) -> float:
    if _same_column(a, b):
        return _below_score(a, b, layout) if b.top >= a.y1 - 0.5 * a.size else -6.0
    if b.x0 >= a.x1 - 1.5 * a.size:
        return _right_score(a, b, layout)
    if b.top >= a.y1 - a.size:
        between = [h for h in layout.headlines if h.y0 > a.y1 - a.size and h.y1 < b.top + b.size]
        crossed = layout.ruled(a.y1, b.top, b) or any(_over(h, b) for h in between)
        overlap = min(a.x1, b.x1) - max(a.x0, b.x0)
        near = b.top - a.y1 < 3 * a.size and overlap > 0
        return -4.0 if crossed else (0.8 if near else -1.2)
    return -6.0


def _below_score(a: Block, b: Block, layout: Layout) -> float:
    gap, size = b.top - a.y1, a.size
    between = [
        t for t in layout.texts if t is not a and t is not b and a.y1 <= t.y1 <= b.top and _same_column(t, b)
    ]
    headed = any(
        a.y1 - size < h.y0 and h.y1 < b.top + size and _over(h, b) for h in layout.headlines if not h.vertical
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
    if over_a is not None and over_b is not None:
        return -2.5 - (1.5 if _is_first_under(b, over_b, layout) else 0)
    if (
        over_b is not None
        and layout.starts[id(b)] is not Start.FLOWING
        and _is_first_under(b, over_b, layout)
    ):
        return -1.5
    return 0.0


def _upright_score(a: Block, b: Block, layout: Layout) -> float:
    """A text that begins beside the top of a vertical headline begins an article, unless a sentence runs on into it."""
    if layout.ends[id(a)] is End.OPEN and layout.starts[id(b)] is Start.FLOWING:
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


# --- links ------------------------------------------------------------------------------------------------------------


def chains_of(layout: Layout) -> list[list[Block]]:
    """Return the blocks of a page as flows in reading order; every block is in exactly one."""
    texts = layout.texts
    scores = {
        (i, j): score
        for i, a in enumerate(texts)
        for j, b in enumerate(texts)
        if i != j and (score := link_score(a, b, layout)) > _least(a, b, layout)
    }
    following = _improve(_greedy(scores), scores)
    return _walk(texts, following)


def _least(a: Block, b: Block, layout: Layout) -> float:
    runs_on = layout.ends[id(a)] is End.OPEN and layout.starts[id(b)] is Start.FLOWING
    return _THRESHOLD if runs_on else _THRESHOLD_UNSURE


def _greedy(scores: dict[tuple[int, int], float]) -> dict[int, int]:
    following: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in sorted(scores, key=lambda k: (-scores[k], k)):
        if i not in following and j not in taken and not _reaches(following, j, i):
            following[i] = j
            taken.add(j)
    return following


def _reaches(following: dict[int, int], start: int, goal: int) -> bool:
    while start in following:
        if start == goal:
            return True
        start = following[start]
    return start == goal


def _improve(following: dict[int, int], scores: dict[tuple[int, int], float]) -> dict[int, int]:
    """Swap ends of two links while that raises the sum; greedy choice misses such pairs."""
    for _ in range(8):
        changed = False
        for i, j in list(following.items()):
            for k, m in list(following.items()):
                if i == k or following.get(i) != j or following.get(k) != m:
                    continue
                gain = scores.get((i, m), 0.0) + scores.get((k, j), 0.0) - scores[i, j] - scores[k, m]
                if gain > 0.01 and _swap(following, (i, j), (k, m), scores):
                    changed = True
        changed |= _insert_free(following, scores)
        if not changed:
            break
    return following


def _swap(
    following: dict[int, int],
    first: tuple[int, int],
    second: tuple[int, int],
    scores: dict[tuple[int, int], float],
) -> bool:
    (i, j), (k, m) = first, second
    trial = {a: b for a, b in following.items() if a not in (i, k)}
    for a, b in ((i, m), (k, j)):
        if (a, b) in scores:
            if _reaches(trial, b, a):
                return False
            trial[a] = b
    following.clear()
    following.update(trial)
    return True


def _insert_free(following: dict[int, int], scores: dict[tuple[int, int], float]) -> bool:
    """Put blocks without predecessor between two linked ones, or link loose ends, where that raises the sum."""
    changed, taken = False, set(following.values())
    for (i, j), score in sorted(scores.items(), key=lambda item: -item[1]):
        if following.get(i) == j or j in taken:
            continue
        old = following.get(i)
        if old is None:
            if not _reaches(following, j, i):
                following[i] = j
                taken.add(j)
                changed = True
            continue
        tail = j
        while tail in following:
            tail = following[tail]
        if tail == i or _reaches(following, j, i):
            continue
        if score + scores.get((tail, old), -9.0) - scores[i, old] > 0.01:
            following[i], following[tail] = j, old
            taken.add(j)
            changed = True
    return changed


def _walk(texts: Sequence[Block], following: dict[int, int]) -> list[list[Block]]:
    firsts = [i for i in range(len(texts)) if i not in set(following.values())]
    chains = []
    for first in firsts:
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append([texts[i] for i in chain])
    return chains
