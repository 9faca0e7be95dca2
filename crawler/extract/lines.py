"""Characters of a newspaper page joined to lines, horizontal and vertical.

The order of the content stream is trusted only between neighbours; a gap as wide as a gutter is closed only when the
lines above or below run across it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.extract.pdf import Char, Frame

#: Letter spacing of justified lines stays below this part of an em; gutters begin at half an em (real pages).
_TIGHT = 0.45
#: A wider gap is never inside a line of running text.
_WIDE = 2.3
_ROW = 8.0
_VERTICAL_PITCH = (0.42, 2.7)
#: Signs as vertical lines print them, and as they are written elsewhere.
_UPRIGHT_FORMS = str.maketrans(
    "﹁﹂﹃﹄︵︶︷︸︹︺︻︼︽︾︿﹀︰︱︐︑︒︓︔︕︖", "‘’“”（）{}〔〕【】《》〈〉：—，、。：；！？"
)
_CLOSERS = frozenset("，。、；：？！”’）》〉】」』…")


@dataclass
class Line:
    """Characters in reading order. `base` is the baseline, `size` the prevailing size in points."""

    chars: list[Char]
    vertical: bool = False
    #: place of the first character in the content stream
    order: int = field(init=False)

    def __post_init__(self) -> None:
        self.order = self.chars[0].order
        self.x0 = min(c.x0 for c in self.chars)
        self.x1 = max(c.x1 for c in self.chars)
        self.y0 = min(c.y0 for c in self.chars)
        self.y1 = max(c.y1 for c in self.chars)
        sizes = Counter(round(c.size, 1) for c in self.chars)
        self.size = max(sizes, key=lambda s: (sizes[s], s))
        self.base = self.chars[0].y1 - 0.14 * self.chars[0].size

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def last_order(self) -> int:
        return self.chars[-1].order

    @cached_property
    def font(self) -> str:
        fonts = Counter(c.font for c in self.chars if ord(c.text[0]) > 0x2E7F)
        return fonts.most_common(1)[0][0] if fonts else self.chars[0].font

    @cached_property
    def text(self) -> str:
        """The letters without spaces but those between Latin words."""
        return self._join(0.22, latin_only=True)

    @cached_property
    def spaced(self) -> str:
        """The letters with a space wherever the line leaves half an em free."""
        return self._join(0.45, latin_only=False)

    def _join(self, gap: float, *, latin_only: bool) -> str:
        parts = [self.chars[0].text]
        usual = self._usual_gap()
        for a, b in pairwise(self.chars):
            free = (b.y0 - a.y1) if self.vertical else (b.x0 - a.x1)
            latin = a.text.isascii() and b.text.isascii() and a.text.isalnum() and b.text.isalnum()
            parted = b.after_space or (free > gap * self.size + usual and a.text not in _CLOSERS)
            if parted and (latin or not latin_only):
                parts.append(" ")
            parts.append(b.text)
        return "".join(parts).translate(_UPRIGHT_FORMS)

    def _usual_gap(self) -> float:
        gaps = sorted((b.y0 - a.y1) if self.vertical else (b.x0 - a.x1) for a, b in pairwise(self.chars))
        return max(0.0, gaps[len(gaps) // 2]) if len(gaps) > 3 else 0.0


def lines_of(chars: Sequence[Char], barriers: Sequence[Frame] = ()) -> list[Line]:
    """Return all lines of a page in stream order; upright `barriers` (rules, box sides) are never crossed."""
    vertical, rest = _take_vertical(chars, [f for f in barriers if f.width > f.height])
    runs = _runs(rest)
    lines = _join_across_gaps(runs, _Fences(barriers), 1.25 * _body(chars))
    return sorted(vertical + lines, key=lambda line: line.order)


def _runs(chars: Iterable[Char]) -> list[Line]:
    runs: list[list[Char]] = []
    for char in chars:
        if runs and _follows(runs[-1][-1], char):
            runs[-1].append(char)
        else:
            runs.append([char])
    return [Line(run) for run in runs]


def _follows(a: Char, b: Char) -> bool:
    size = max(a.size, b.size)
    gap = b.x0 - a.x1
    same_row = abs((a.y1 - 0.14 * a.size) - (b.y1 - 0.14 * b.size)) <= 0.22 * min(a.size, b.size)
    same_size = size <= 1.4 * min(a.size, b.size)
    forward = b.x0 > a.x0 - 0.1 * size and gap >= -1.1 * size
    return same_row and same_size and forward and gap <= _TIGHT * size


# --- vertical lines ---------------------------------------------------------------------------------------------------


def _take_vertical(chars: Sequence[Char], level: Sequence[Frame]) -> tuple[list[Line], list[Char]]:
    """Vertical lines are found by pitch: single characters below each other at one distance."""
    body = _body(chars)
    alone = _alone_in_their_row(chars, body)
    chains = _vertical_chains(alone)
    lines: list[Line] = []
    used: set[int] = set()
    for chain in (piece for whole in chains for piece in _split_chain(whole, level)):
        letters = sum(1 for c in chain if "\u4e00" <= c.text <= "\u9fff")
        enough = 4 if chain[0].size > 1.25 * body else 6
        if len(chain) >= enough and letters >= 0.6 * len(chain):
            lines.append(Line(chain, vertical=True))
            used.update(c.order for c in chain)
    return lines, [c for c in chars if c.order not in used]


def _body(chars: Sequence[Char]) -> float:
    """Return the commonest size, rounded."""
    return Counter(round(c.size) for c in chars).most_common(1)[0][0] if chars else 0


def _alone_in_their_row(chars: Sequence[Char], body: float) -> list[Char]:
    """Return characters without a neighbour in their row; of display type also pairs and threes.

    Two vertical lines beside each other look like short rows when the stream runs row by row.
    """
    alone, run = [], [*chars[:1]]
    for char in chars[1:]:
        if _follows(run[-1], char):
            run.append(char)
            continue
        alone += _stackable(run, body)
        run = [char]
    return alone + _stackable(run, body)


def _stackable(run: list[Char], body: float) -> list[Char]:
    return run if len(run) == 1 or (len(run) <= 3 and run[0].size > 1.25 * body) else []


def _vertical_chains(alone: list[Char]) -> list[list[Char]]:
    by_place: dict[int, list[Char]] = defaultdict(list)
    for char in alone:
        by_place[int(_middle(char) / _ROW)].append(char)
    for chars in by_place.values():
        chars.sort(key=lambda c: c.y0)
    taken: set[int] = set()
    chains = []
    for start in sorted(alone, key=lambda c: (c.y0, c.x0)):
        if start.order in taken:
            continue
        chain = [start]
        while (following := _below(chain[-1], by_place, taken)) is not None:
            chain.append(following)
            taken.add(following.order)
        chains.append(chain)
    return chains


def _split_chain(chain: list[Char], level: Sequence[Frame]) -> list[list[Char]]:
    """Part a chain where the pitch changes (a headline below a headline) or a rule stands between."""
    pitches = sorted(b.y0 - a.y0 for a, b in pairwise(chain))
    usual = pitches[len(pitches) // 2] if pitches else 0.0
    pieces = [chain[:1]]
    for a, b in pairwise(chain):
        pitches_apart = (b.y0 - a.y0) / max(usual, 0.5 * a.size)
        blank = abs(pitches_apart - 2) < 0.07
        ruled = any(a.y1 - 1 <= r.y0 <= b.y0 + 1 and r.x0 < a.x1 and r.x1 > a.x0 for r in level)
        if ruled or (pitches_apart > 1.7 and not blank and len(chain) > 5):
            pieces.append([b])
        else:
            pieces[-1].append(b)
    return pieces


def _below(char: Char, by_place: dict[int, list[Char]], taken: set[int]) -> Char | None:
    place = int(_middle(char) / _ROW)
    best = None
    for other in (o for key in (place - 1, place, place + 1) for o in by_place.get(key, ())):
        pitch = other.y0 - char.y0
        size = max(char.size, other.size)
        if other.order in taken or not _VERTICAL_PITCH[0] * size <= pitch <= _VERTICAL_PITCH[1] * size:
            continue
        same = abs(_middle(char) - _middle(other)) <= 0.3 * size and size <= 1.2 * min(char.size, other.size)
        if same and (best is None or other.y0 < best.y0):
            best = other
    return best


def _middle(char: Char) -> float:
    return (char.x0 + char.x1) / 2


# --- gaps -------------------------------------------------------------------------------------------------------------


class _Fences:
    """Upright rules and box sides, asked whether one stands in a gap."""

    def __init__(self, barriers: Sequence[Frame]) -> None:
        self.upright: list[tuple[float, float, float]] = []
        for frame in barriers:
            self.upright.append((frame.x0, frame.y0, frame.y1))
            if frame.width > 4:
                self.upright.append((frame.x1, frame.y0, frame.y1))

    def between(self, left: float, right: float, y: float) -> bool:
        return any(left - 1 <= x <= right + 1 and top <= y <= bottom for x, top, bottom in self.upright)


class _Rows:
    """Runs findable by height."""

    def __init__(self, runs: Iterable[Line]) -> None:
        self.rows: dict[int, list[Line]] = defaultdict(list)
        for run in runs:
            self.rows[int(run.base / _ROW)].append(run)

    def near(self, top: float, bottom: float) -> Iterable[Line]:
        for row in range(int(top / _ROW), int(bottom / _ROW) + 1):
            yield from self.rows.get(row, ())


def _join_across_gaps(runs: list[Line], fences: _Fences, display: float) -> list[Line]:
    rows = _Rows(runs)
    joined: dict[int, list[Line]] = {}
    starts: set[int] = set()
    for run in sorted(runs, key=lambda r: (r.x0, r.order)):
        left = _left_neighbour(run, rows)
        if left is not None and _belongs(left, run, rows, (fences, display)) and id(left) in joined:
            group = joined[id(left)]
            if group[-1] is left:
                group.append(run)
                joined[id(run)] = group
                continue
        joined[id(run)] = [run]
        starts.add(id(run))
    groups = [group for key, group in joined.items() if key in starts]
    return [g[0] if len(g) == 1 else Line([c for run in g for c in run.chars]) for g in groups]


def _left_neighbour(run: Line, rows: _Rows) -> Line | None:
    best = None
    for other in rows.near(run.base - 0.3 * run.size, run.base + 0.3 * run.size):
        gap = run.x0 - other.x1
        if other is run or not -0.4 * run.size <= gap <= _WIDE * run.size or other.x0 >= run.x0:
            continue
        same = abs(other.base - run.base) <= 0.22 * run.size and _alike(other, run, 1.4)
        if same and (best is None or other.x1 > best.x1):
            best = other
    return best


def _alike(a: Line, b: Line, ratio: float) -> bool:
    return max(a.size, b.size) <= ratio * min(a.size, b.size)


def _belongs(left: Line, right: Line, rows: _Rows, fences_and_display: tuple[_Fences, float]) -> bool:
    fences, display = fences_and_display
    gap = right.x0 - left.x1
    if fences.between(left.x1, right.x0, right.base - 0.3 * right.size):
        return False
    next_in_stream = 0 < right.order - left.last_order <= 4
    if gap <= (_TIGHT if next_in_stream else 0.2) * right.size:
        return True
    across, along = _witnesses(left, right, rows)
    if gap <= _TIGHT * right.size:
        return across >= along
    if (
        along > across
        or (not across and _at_column_edge(right, rows))
        or (across < 2 and _in_gutter(left, right, rows))
    ):
        return False
    near = next_in_stream and gap <= 1.2 * right.size and along == 0
    return across > 0 or (near and right.size <= display)


def _witnesses(left: Line, right: Line, rows: _Rows) -> tuple[int, int]:
    """Return how many lines close by run across the gap and how many leave it free on both sides."""
    size, across, ends, begins = right.size, 0, 0, 0
    for other in rows.near(right.base - 2.4 * size, right.base + 2.4 * size):
        if abs(other.base - right.base) < 0.5 * size or not _alike(other, right, 1.12):
            continue
        if other.x0 < left.x1 - 0.7 * size and other.x1 > right.x0 + 0.7 * size:
            across += 1
        ends += abs(other.x1 - left.x1) < 0.6 * size
        begins += abs(other.x0 - right.x0) < 0.3 * size
    return across, min(ends, begins)


def _at_column_edge(run: Line, rows: _Rows) -> bool:
    """Whether several lines above and below begin at the same place."""
    size = run.size
    same = [
        other
        for other in rows.near(run.base - 16 * size, run.base + 16 * size)
        if other is not run and abs(other.x0 - run.x0) < 0.2 * size and _alike(other, run, 1.12)
    ]
    return len(same) >= 3


def _in_gutter(left: Line, right: Line, rows: _Rows) -> bool:
    """Whether a column of lines ends where the gap begins and another begins where it ends, an indent apart or not."""
    size, ends, begins = right.size, 0, 0
    for other in rows.near(right.base - 16 * size, right.base + 16 * size):
        if _alike(other, right, 1.12):
            ends += abs(other.x1 - left.x1) < 0.6 * size
            shift = right.x0 - other.x0
            begins += abs(shift) < 0.3 * size or abs(shift - 2 * size) < 0.3 * size
    return ends >= 4 and begins >= 4
