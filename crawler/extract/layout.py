"""What stands over, beside and between the blocks of a page: headlines' cover, rules, how texts begin and end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.columns import CLOSERS, SENTENCE_END, Block, usual_font
from crawler.extract.furniture import ends_article, is_byline, starts_article, starts_surely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.headlines import Headline
    from crawler.extract.pdf import Frame

#: Beyond this many blocks a page is a table or an attack; relations between blocks are quadratic.
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
    #: the block close above in the same column
    uppers: dict[int, Block] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
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
            (min(abs(t.top - block.y1), abs(block.top - t.y1)), t.left, t.right)
            for t in self.texts
            if len(t.lines) > 2 and same_column(t, block) and abs(t.left - block.x0) < 3.3 * size
        ]
        full = len(block.text) > 8
        fitting = [
            (gap, left)
            for gap, left, right in same
            if gap < 4 * size or (-1.2 * size < right - block.right < (1.2 if full else 99) * size)
        ]
        return min(fitting, default=(0.0, block.left))[1]

    def _column_right(self, block: Block) -> float:
        if len(block.lines) > 3:
            return block.right
        size = block.size
        same = [
            t.right for t in self.texts if same_column(t, block) and abs(t.left - block.left) < 2.5 * size
        ]
        return max(same, default=block.right)

    def _find_covers(self) -> None:
        """Find the headline each block stands under, directly or below other blocks of the same column."""
        for block in sorted(self.texts, key=lambda b: b.top):
            above = [
                h for h in self.headlines if not h.vertical and h.frame == block.frame and over(h, block)
            ]
            head = max(above, key=lambda h: h.y1, default=None)
            blocker = max(
                (t for t in self.texts if t is not block and over(t, block)),
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
        self._find_widths()
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
        for block in sorted(self.texts, key=lambda b: b.top):
            upper = self.uppers.get(id(block))
            if upper is not None and id(block) not in self.covers and id(upper) in self.covers:
                self.covers[id(block)] = self.covers[id(upper)]

    def _may_share(self, block: Block, head: Headline) -> bool:
        """Whether a block has no headline of its own, or only one farther up."""
        own = self.covers.get(id(block))
        free = own is None or (own is not head and id(block) not in self.direct and own.y1 < head.y0)
        return free and id(block) not in self.uppers and not self._opens_beside(block)

    def _opens_beside(self, block: Block) -> bool:
        """Whether a block begins beside the top of a vertical headline."""
        return any(
            h.vertical
            and abs(h.y0 - block.top) < 2.5 * block.size
            and (-2 <= block.x0 - h.x1 <= 3 * block.size or -2 <= h.x0 - block.x1 <= 3 * block.size)
            for h in self.headlines
        )

    def width_of(self, block: Block) -> float:
        """Return the width of the column a block stands in: short lines take it from those below and above them."""
        return self.widths.get(id(block), block.width)

    def _find_widths(self) -> None:
        order = sorted(self.texts, key=lambda b: b.top)
        for block in order:
            upper = self.uppers.get(id(block))
            self.widths[id(block)] = max(block.width, self.widths.get(id(upper), 0.0) if upper else 0.0)
        for block in reversed(order):
            upper = self.uppers.get(id(block))
            if upper is not None:
                self.widths[id(upper)] = max(self.widths[id(upper)], self.widths[id(block)])

    def _shares(self, block: Block, other: Block, head: Headline) -> bool:
        size = block.size
        gap = max(other.x0 - block.x1, block.x0 - other.x1)
        widths = self.width_of(block), self.width_of(other)
        alike = abs(other.size - size) < 0.04 * size and max(widths) < 1.08 * min(widths)
        level = (
            abs(other.top - block.top) <= 1.7 * max(block.step, size) or abs(other.top - head.y0) <= 2 * size
        )
        if not (alike and level and -0.5 * size <= gap <= 3.2 * size) or self.fenced(block, other):
            return False
        return not any(
            t is not other and t.y1 > head.y0 and t.y1 <= other.top + size and over(t, other)
            for t in self.texts
        )

    def _inherit(self, block: Block, upper: Block) -> None:
        """A block close below another stands under the same headline; so do columns below a wide lead."""
        gap, step = block.top - upper.y1, max(block.step, 1.3 * block.size)
        if self._opens_beside(block) and not (gap < 0.9 * step and same_column(upper, block)):
            return
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
        if near and same_column(upper, block):
            self.tops[id(block)] = self.tops[id(upper)]
            self.uppers[id(block)] = upper

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
        below = same_column(a, b) and 0 <= b.top - a.y1 < 8 * a.size
        return below or (0 <= b.x0 - a.x1 < 6 * a.size and b.top <= a.y1)


def over(upper: Block | Headline, block: Block) -> bool:
    overlap = min(upper.x1, block.x1) - max(upper.x0, block.x0)
    return upper.y1 <= block.top + 0.4 * block.size and overlap > 0.4 * min(upper.width, block.width)


def same_column(a: Block, b: Block) -> bool:
    """Whether two blocks stand in one column; a line or two may be as short as they like."""
    overlap = min(a.x1, b.x1) - max(a.x0, b.x0)
    narrow, wide = sorted((a, b), key=lambda t: t.width)
    alike = wide.width < 1.9 * max(narrow.width, 6 * a.size)
    aligned = len(narrow.lines) <= 2 and abs(a.x0 - b.x0) <= 2.5 * a.size
    return overlap > 0.7 * narrow.width and (alike or aligned)


def _start(block: Block, left: float) -> Start:
    fresh = bool(block.heads) or block.is_indented(0, left)
    if block.byline or starts_surely(block.spaced) or (fresh and starts_article(block.spaced)):
        return Start.ARTICLE
    if fresh:
        return Start.PARAGRAPH
    return Start.FLOWING


def _end(block: Block, right: float) -> End:
    if block.signature:
        return End.SIGNED
    last = block.lines[-1]
    alone = len(block.lines) == 1 or block.lines[-2].text[-1] in CLOSERS
    alone &= block.is_short(len(block.lines) - 1) or last.x0 > block.left + 2.8 * block.size
    if (is_byline(last.spaced) and alone) or ends_article(block.text):
        return End.SIGNED
    tail = block.text.rstrip("”’）》】」』")[-1:]
    if tail not in SENTENCE_END + "：":
        return End.OPEN
    edge = max(right, block.right)
    short = block.is_short(len(block.lines) - 1) or last.x1 < edge - 1.2 * block.size
    return End.CLOSED if short and tail != "：" else End.MAYBE
