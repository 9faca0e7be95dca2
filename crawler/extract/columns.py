"""Lines of a newspaper page stacked to blocks: pieces of one column with one size and one step."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.furniture import is_byline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.extract.lines import Line
    from crawler.extract.pdf import Frame

OPENERS = "“‘（《〈【「『〔"
CLOSERS = "，。、；：？！”’）》〉】」』〕…"
SENTENCE_END = "。！？…!?"
_MIN_STEP, _MAX_STEP = 0.85, 2.05
_ROW = 8.0


@dataclass
class Block:
    """Lines below each other. `frame` is the innermost box around it (its index) or -1."""

    lines: list[Line]
    frame: int = -1
    #: subheads standing directly above, belonging to this text
    heads: list[Block] = field(default_factory=list)
    #: a byline standing directly above
    byline: str = ""
    #: a byline standing directly below
    signature: str = ""

    def __post_init__(self) -> None:
        self.x0 = min(line.x0 for line in self.lines)
        self.x1 = max(line.x1 for line in self.lines)
        self.y0 = self.lines[0].y0
        self.y1 = max(line.y1 for line in self.lines)
        sizes: Counter[float] = Counter()
        for line in self.lines:
            sizes[line.size] += len(line.chars)
        self.size = sizes.most_common(1)[0][0]
        self.order = min(line.order for line in self.lines)
        self.last_order = max(line.last_order for line in self.lines)

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def top(self) -> float:
        return min([self.y0, *(head.y0 for head in self.heads)])

    @cached_property
    def spaced(self) -> str:
        return "".join(line.spaced for line in self.lines)

    @cached_property
    def text(self) -> str:
        return "".join(line.text for line in self.lines)

    @cached_property
    def font(self) -> str:
        fonts: Counter[str] = Counter()
        for line in self.lines:
            fonts[line.font] += len(line.chars)
        return fonts.most_common(1)[0][0]

    @cached_property
    def step(self) -> float:
        steps = sorted(b.base - a.base for a, b in pairwise(self.lines))
        return steps[len(steps) // 2] if steps else 0.0

    @cached_property
    def left(self) -> float:
        """Where unindented lines begin."""
        return _usual([_left(line) for line in self.lines], 1.0, lowest=True)

    @cached_property
    def right(self) -> float:
        """Where full lines end, hanging punctuation left out."""
        return _usual([_right(line) for line in self.lines], 1.0, lowest=False)

    def is_indented(self, i: int, column_left: float | None = None) -> bool:
        """Whether line `i` starts a paragraph: it begins about two ems right of the lines around it."""
        here, size = _left(self.lines[i]), self.size
        near = [_left(self.lines[k]) for k in (i + 1, i - 1, i + 2, i - 2) if 0 <= k < len(self.lines)]
        if column_left is not None:
            near.append(column_left)
        return any(1.2 * size <= here - other <= 3.2 * size for other in near[:3])

    def is_short(self, i: int) -> bool:
        """Whether line `i` ends well before the edge the lines around it reach."""
        near = [_right(self.lines[k]) for k in range(max(0, i - 3), min(len(self.lines), i + 3)) if k != i]
        edge = max([*near, self.right if len(self.lines) > 1 else _right(self.lines[i])])
        return _right(self.lines[i]) < edge - 1.2 * self.size


def _left(line: Line) -> float:
    first = line.chars[0]
    return line.x0 + (
        0.5 * first.size if first.text in OPENERS and first.x1 - first.x0 > 0.8 * first.size else 0
    )


def _right(line: Line) -> float:
    last = line.chars[-1]
    return line.x1 - (0.5 * last.size if last.text in CLOSERS and last.x1 - last.x0 > 0.8 * last.size else 0)


def _usual(values: list[float], grain: float, *, lowest: bool) -> float:
    """Return the outermost value that at least a quarter of the lines share, or the outermost one."""
    bins = Counter(round(v / grain) for v in values)
    shared = [k for k, n in bins.items() if n >= max(2, len(values) // 4)] or list(bins)
    pick = min(shared) if lowest else max(shared)
    return sum(v for v in values if round(v / grain) == pick) / bins[pick]


def innermost_box(x: float, y: float, boxes: Sequence[Frame]) -> int:
    """Return the index of the smallest box around a point, or -1."""
    around = [(box.width * box.height, i) for i, box in enumerate(boxes) if box.contains(x, y)]
    return min(around)[1] if around else -1


def stack(lines: Iterable[Line], rules: Sequence[Frame] = (), boxes: Sequence[Frame] = ()) -> list[Block]:
    """Return horizontal lines joined downwards, in stream order of their first lines.

    A line continues the nearest line above it with the same size that it lies under; when several lines of one row
    would continue the same line, none does (a full-width text over its columns).
    """
    flat = sorted((line for line in lines if not line.vertical), key=lambda line: line.base)
    home = {
        id(line): innermost_box((line.x0 + line.x1) / 2, line.base - 0.3 * line.size, boxes) for line in flat
    }
    above = _predecessors(flat, rules, home)
    chains: dict[int, list[Line]] = {}
    blocks: list[list[Line]] = []
    for line in flat:
        upper = above.get(id(line))
        chain = chains.get(id(upper)) if upper is not None else None
        if chain is None:
            chain = []
            blocks.append(chain)
        chain.append(line)
        chains[id(line)] = chain
    pieces = [piece for chain in blocks for piece in _split_at_steps(chain)]
    made = [Block(piece, home[id(piece[0])]) for piece in pieces]
    return sorted(made, key=lambda block: block.lines[0].order)


def _predecessors(flat: list[Line], rules: Sequence[Frame], home: dict[int, int]) -> dict[int, Line]:
    rows: dict[int, list[Line]] = defaultdict(list)
    best: dict[int, Line] = {}
    below: dict[int, list[Line]] = defaultdict(list)
    level = [rule for rule in rules if rule.width > rule.height]
    for line in flat:
        reach = range(int((line.base - _MAX_STEP * line.size) / _ROW), int(line.base / _ROW) + 1)
        candidates = [
            (_distance(a, line), a.order, a)
            for row in reach
            for a in rows.get(row, ())
            if _continues(a, line) and home[id(a)] == home[id(line)] and not _ruled_off(a, line, level)
        ]
        if candidates:
            upper = min(candidates, key=lambda c: c[:2])[2]
            best[id(line)] = upper
            below[id(upper)].append(line)
        rows[int(line.base / _ROW)].append(line)
    for followers in below.values():
        if len(followers) > 1:
            nearest = min(followers, key=lambda f: f.base)
            side_by_side = any(
                f is not nearest and abs(f.base - nearest.base) < 0.5 * f.size for f in followers
            )
            for follower in followers:
                if side_by_side or follower is not nearest:
                    best.pop(id(follower), None)
    return best


def _continues(a: Line, b: Line) -> bool:
    size = max(a.size, b.size)
    if size > 1.08 * min(a.size, b.size) or not _MIN_STEP * size <= b.base - a.base <= _MAX_STEP * size:
        return False
    overlap = min(a.x1, b.x1) - max(a.x0, b.x0)
    return (
        overlap >= 0.6 * min(a.width, b.width)
        or (overlap > 0 and abs(a.x0 - b.x0) <= 3.3 * size)
        or (abs(a.x0 - b.x0) <= 3.3 * size and min(a.width, b.width) <= 3.3 * size)
    )


def _distance(a: Line, b: Line) -> float:
    return (b.base - a.base) + 0.1 * min(abs(a.x0 - b.x0), abs(a.x1 - b.x1))


def _ruled_off(a: Line, b: Line, level: list[Frame]) -> bool:
    left, right = max(a.x0, b.x0), min(a.x1, b.x1)
    return any(
        a.base < (rule.y0 + rule.y1) / 2 < b.y1 - 0.5 * b.size
        and min(right, rule.x1) - max(left, rule.x0) > 0.5 * (right - left)
        for rule in level
    )


def _split_at_steps(chain: list[Line]) -> list[list[Line]]:
    """A wider step than the block's usual one ends it; a byline on top stands alone."""
    if (
        len(chain) > 1
        and is_byline(chain[0].spaced)
        and _right(chain[0]) < _right(chain[1]) - 1.5 * chain[0].size
    ):
        return [chain[:1], *_split_at_steps(chain[1:])]
    if len(chain) < 3:
        return [chain]
    steps = [b.base - a.base for a, b in pairwise(chain)]
    usual = sorted(steps)[len(steps) // 2]
    pieces = [[chain[0]]]
    for upper, line, step in zip(chain, chain[1:], steps, strict=False):
        other_font = upper.font != line.font and abs(step - usual) > 0.06 * usual
        if other_font or step > 1.3 * usual or step < 0.75 * usual:
            pieces.append([line])
        else:
            pieces[-1].append(line)
    return pieces


def body_size(blocks: Iterable[Block]) -> float:
    """Return the size most characters of running text have."""
    sizes: Counter[float] = Counter()
    for block in blocks:
        if len(block.lines) >= 3 and len(block.text) >= 6 * len(block.lines):
            sizes[round(block.size, 1)] += len(block.text)
    if not sizes:
        for block in blocks:
            sizes[round(block.size, 1)] += len(block.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def usual_font(blocks: Iterable[Block], body: float) -> str:
    """Return the font most text of body size is set in."""
    fonts: dict[str, int] = {}
    for block in blocks:
        if abs(block.size - body) < 0.05 * body:
            fonts[block.font] = fonts.get(block.font, 0) + len(block.text)
    return max(fonts, key=lambda f: fonts[f], default="")


def runs_by_rows(blocks: Iterable[Block]) -> bool:
    """Whether the content stream goes from column to column in every row instead of down the columns."""
    inside = [
        (a.last_order, b.order) for block in blocks if len(block.lines) > 2 for a, b in pairwise(block.lines)
    ]
    leaps = sum(1 for end, start in inside if not 0 < start - end <= 12)
    return leaps > 0.4 * len(inside)
