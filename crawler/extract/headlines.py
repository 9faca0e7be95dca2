"""Headlines of a newspaper page: kicker (引题), title and subtitle (副题), horizontal and vertical."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.extract.columns import CLOSERS, Block, innermost_box, runs_by_rows, usual_font
from crawler.extract.furniture import is_byline, is_credit, is_label, starts_article

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.extract.lines import Line
    from crawler.extract.pdf import Frame

#: A headline is at least this much larger than running text (real pages: subheads 1.1-1.5, headlines from 1.5).
_HEADLINE = 1.25
_SURE_HEADLINE = 1.75
#: Lines of one title differ less than this; kickers and subtitles are smaller (real pages: at most .65).
_SAME_TITLE = 0.78
#: Labels in display type that head no text of their own.
_SECTIONS = frozenset(
    ["导读", "今日导读", "目录", "要目", "简讯", "短讯", "链接", "相关链接", "新闻链接", "延伸阅读", "编者按"]
)
#: Blanks between the halves of a title are one or two ems wide.
_WIDEST_BLANK = 2.3


@dataclass
class Headline:
    """Lines of one headline; `title` is its largest part, `kicker` stands before it, `subtitle` after it."""

    lines: list[Line]
    frame: int = -1
    vertical: bool = False
    byline: str = ""

    def __post_init__(self) -> None:
        self.x0 = min(line.x0 for line in self.lines)
        self.x1 = max(line.x1 for line in self.lines)
        self.y0 = min(line.y0 for line in self.lines)
        self.y1 = max(line.y1 for line in self.lines)
        self.size = max(line.size for line in self.lines)
        self.order = min(line.order for line in self.lines)
        self.kicker, self.title, self.subtitle = self._parts()

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    def _parts(self) -> tuple[str, str, str]:
        rows = _rows(self.lines, vertical=self.vertical)
        sizes = [max(line.size for line in row) for row in rows]
        largest = max(range(len(rows)), key=lambda i: (sizes[i], sum(len(line.text) for line in rows[i])))
        first = last = largest
        while first > 0 and sizes[first - 1] >= _SAME_TITLE * sizes[largest]:
            first -= 1
        while last + 1 < len(rows) and sizes[last + 1] >= _SAME_TITLE * sizes[largest]:
            last += 1
        texts = [" ".join(line.spaced for line in row) for row in rows]
        return " ".join(texts[:first]), " ".join(texts[first : last + 1]), " ".join(texts[last + 1 :])


def _rows(lines: Sequence[Line], *, vertical: bool) -> list[list[Line]]:
    """Return the lines in reading order, those on one baseline together (vertical ones right to left)."""
    if vertical:
        return [[line] for line in sorted(lines, key=lambda line: (-line.x1, line.y0))]
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.base):
        if rows and abs(rows[-1][0].base - line.base) < 0.3 * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.x0) for row in rows]


@dataclass
class Parts:
    """Blocks of a page by what they are."""

    texts: list[Block] = field(default_factory=list)
    headlines: list[Headline] = field(default_factory=list)
    bylines: list[Block] = field(default_factory=list)
    labels: list[Block] = field(default_factory=list)
    shorts: list[Block] = field(default_factory=list)
    captions: list[Block] = field(default_factory=list)


def is_running_text(block: Block, body: float) -> bool:
    """Whether a block holds sentences, as against headlines, captions' credits, cells of tables."""
    text, ratio = block.text, block.size / body
    if ratio >= _HEADLINE:
        return (
            ratio < 2.2
            and len(block.lines) >= 2
            and len(text) >= 40
            and ("。" in text or len(block.lines) >= 4)
        )
    if len(block.lines) >= 2:
        return len(text) >= 4.5 * len(block.lines) and ("。" in text or "，" in text or len(block.lines) >= 5)
    if ratio > 1.05:
        return len(text) >= 30 and text[-1] in "。”"
    full = text[-1] in CLOSERS or "，" in text or len(text) >= 16
    return len(text) >= 2 and (text.endswith(("。", "。”", "！", "？")) or (full and len(text) >= 8))


def part_blocks(
    blocks: Sequence[Block],
    lines: Iterable[Line],
    body: float,
    frames: tuple[Sequence[Frame], Sequence[Frame], Sequence[Frame]],
) -> Parts:
    """Return the blocks sorted by kind, headlines grouped, subheads and bylines attached to the text they stand over."""
    rules, boxes, pictures = frames
    parts, large, small = Parts(), [], []
    by_rows = runs_by_rows(blocks)
    found_captions = captions_of(blocks, pictures, body)
    for block in blocks:
        if id(block) in found_captions and not (is_byline(block.spaced) and len(block.lines) == 1):
            parts.captions.append(block)
            continue
        if is_label(block.text) or block.text in _SECTIONS:
            parts.labels.append(block)
        elif is_byline(block.spaced) and block.size < 1.4 * body:
            parts.bylines.append(block)
        elif is_running_text(block, body):
            parts.texts.append(block)
        elif block.size >= _HEADLINE * body and len(block.text) >= 2:
            large.append(block)
        else:
            small.append(block)
    small = _promote(small, parts.texts, body)
    upright = [line for line in lines if line.vertical and line.size >= 1.15 * body]
    large = [block for block in large if not _is_pull_quote(block, parts.texts, rules)]
    subheads, large = _split_subheads(large, parts.texts, body, rules)
    small = _attach_subheads(small + subheads, parts.texts)
    found = _group(large, parts.texts, rules, by_rows=by_rows) + _group_upright(upright, boxes)
    parts.headlines = found
    parts.shorts = _attach_deck(small, found, body)
    _attach_bylines(parts)
    return parts


def _promote(small: list[Block], texts: list[Block], body: float) -> list[Block]:
    """Single lines of running text (widows, lines beside a picture) are told by their place in a column of text."""
    usual = usual_font(texts, body)
    left: list[Block] = []
    for block in small:
        size = block.size
        home = [
            t
            for t in texts
            if t.frame == block.frame
            and t.font == block.font == usual
            and abs(t.size - size) < 0.03 * size
            and min(abs(t.top - block.y1), abs(block.y0 - t.y1)) < 3 * size
            and (
                abs(t.left - block.x0) < 0.7 * size
                or (abs(t.left + 2 * size - block.x0) < 0.5 * size and t.right - block.x1 < size)
            )
            and block.x1 < t.x1 + 1.2 * size
        ]
        (texts if home and len(block.lines) <= 2 and len(block.text) >= 2 else left).append(block)
    return left


def captions_of(blocks: Sequence[Block], pictures: Sequence[Frame], body: float) -> set[int]:
    """Return the ids of blocks that tell what a picture shows: close below it, or marked by 图 or a credit."""
    usual = usual_font(blocks, body)
    found = set()
    for block in blocks:
        if block.size >= _HEADLINE * body or len(block.lines) > 8:
            continue
        marked = bool(re.match(r"[▲▼△▽◀▶]|(?:[上下左右前后]|本版)?图[：为①②1]|资料图", block.text))
        under = any(_close_below(block, picture) for picture in pictures)
        credited = is_credit(block.spaced) or any(
            is_credit(o.spaced)
            and len(o.text) <= 16
            and abs(o.lines[0].base - block.lines[-1].base) < 2 * body
            and _reach(o, block) < 8 * body
            for o in blocks
            if o is not block and len(o.lines) == 1 and o.size < _HEADLINE * body
        )
        differs = block.font != usual or block.size < 0.97 * body
        if marked or (credited and len(block.lines) <= 3) or (under and differs and len(block.lines) <= 5):
            found.add(id(block))
    return found


def _reach(a: Block, b: Block) -> float:
    return max(a.x0 - b.x1, b.x0 - a.x1, 0.0)


def _close_below(block: Block, picture: Frame) -> bool:
    wide = picture.width > 6 * block.size and picture.height > 4 * block.size
    overlap = min(block.x1, picture.x1) - max(block.x0, picture.x0)
    inside = overlap > 0.8 * block.width and block.width > 0.25 * picture.width
    return wide and inside and -0.5 * block.size <= block.y0 - picture.y1 <= 2.4 * block.size


# --- subheads ---------------------------------------------------------------------------------------------------------


def _split_subheads(
    large: list[Block], texts: list[Block], body: float, rules: Sequence[Frame]
) -> tuple[list[Block], list[Block]]:
    """A moderately large line over one column is a subhead when the columns beside it run on at its height."""
    subheads, heads = [], []
    for block in large:
        under = _text_below(block, texts)
        if under is not None and _is_subhead(block, under, large, (texts, rules), body):
            subheads.append(block)
        else:
            heads.append(block)
    return subheads, heads


def _is_subhead(
    block: Block, under: Block, large: list[Block], around: tuple[list[Block], Sequence[Frame]], body: float
) -> bool:
    texts, rules = around
    if (
        block.size >= _SURE_HEADLINE * body
        or block.width > 1.05 * under.width
        or starts_article(under.spaced)
    ):
        return False
    above = [t for t in texts if t.y1 <= block.y0 and _overlap(t, block) > 0.5 * block.width]
    upper = max(above, key=lambda t: t.y1, default=None)
    heads = [
        h
        for h in large
        if h.size >= 1.35 * block.size and h.y1 <= block.y0 and _overlap(h, under) > 0.3 * under.width
    ]
    head = max(heads, key=lambda h: h.y1, default=None)
    if upper is not None and upper.width > 1.4 * under.width and block.y0 - upper.y1 < 6 * body:
        return head is not None and upper.y0 - head.y1 < 6 * body and _beside(block, under, texts)
    if upper is None or (head is not None and head.y1 > upper.y1):
        return head is not None and block.y0 - head.y1 < 6 * body and _beside(block, under, texts)
    if abs(upper.size - under.size) > 0.04 * under.size:
        return False
    gap_above, gap_below = block.y0 - upper.y1, under.y0 - block.y1
    if block.size < 1.2 * under.size and gap_above < 1.6 * under.size:
        return True
    ruled = any(
        upper.y1 - 1 <= r.y0 <= block.y0 + 1 and _cross(r, block) for r in rules if r.width > r.height
    )
    spacious = gap_above > 1.7 * max(gap_below, 2.0)
    return gap_above < 3 * body and not ruled and not spacious and _beside(block, under, texts)


def _is_pull_quote(block: Block, texts: list[Block], rules: Sequence[Frame]) -> bool:
    """Display type in the middle of a column, the text above it broken off and going on below it."""
    near = [
        t
        for t in texts
        if t.frame == block.frame and _overlap(t, block) > 0.7 * block.width and block.width < 1.3 * t.width
    ]
    above = max((t for t in near if t.y1 <= block.y0 + 2), key=lambda t: t.y1, default=None)
    below = min((t for t in near if t.top >= block.y1 - 2), key=lambda t: t.top, default=None)
    if above is None or below is None or abs(above.left - below.left) > 3.3 * below.size:
        return False
    close = block.y0 - above.y1 < 4.5 * above.size and below.top - block.y1 < 4.5 * below.size
    broken = above.text[-1] not in "。！？”…）" or above.text[-1] in "，、；："
    flowing = len(below.lines) > 1 and not below.is_indented(0, above.left)
    alike = close and abs(above.size - below.size) < 0.04 * below.size
    over = any(above.y1 - 2 <= r.y0 <= block.y0 + 2 and _cross(r, block) for r in rules if r.width > r.height)
    under = any(
        block.y1 - 2 <= r.y0 <= below.top + 2 and _cross(r, block) for r in rules if r.width > r.height
    )
    beside = _beside(block, below, texts)
    return alike and ((broken and flowing) or (over and under and (beside or broken)))


def _cross(rule: Frame, block: Block) -> bool:
    return min(rule.x1, block.x1) - max(rule.x0, block.x0) > 0.5 * block.width


def _beside(block: Block, under: Block, texts: list[Block]) -> bool:
    """Whether text of the neighbouring columns stands at the height of a block."""
    middle = (block.y0 + block.y1) / 2
    return any(
        t.top <= middle <= t.y1
        and _overlap(t, block) <= 0
        and _reach(t, under) < under.width + 8 * t.size
        and abs(t.width - under.width) < 0.08 * under.width
        for t in texts
    )


def _attach_subheads(small: list[Block], texts: list[Block]) -> list[Block]:
    left = []
    for block in sorted(small, key=lambda b: -b.y0):
        under = _text_below(block, texts) if len(block.text) >= 3 and len(block.lines) <= 3 else None
        inside = under and under.x0 - block.size <= block.x0 and block.x1 <= under.x1 + 1.5 * block.size
        if under and inside and not starts_article(under.spaced) and block.size >= 0.93 * under.size:
            under.heads.insert(0, block)
        else:
            left.append(block)
    return left


def _text_below(block: Block, texts: Iterable[Block]) -> Block | None:
    near = [
        t
        for t in texts
        if t.frame == block.frame
        and 0 <= t.top - block.y1 + 0.3 * t.size <= 2.6 * t.size
        and _overlap(t, block) > 0.6 * min(block.width, t.width)
    ]
    return min(near, key=lambda t: t.top, default=None)


def _overlap(a: Block | Headline | Line, b: Block | Headline | Line) -> float:
    return min(a.x1, b.x1) - max(a.x0, b.x0)


# --- headlines --------------------------------------------------------------------------------------------------------


def _group(
    large: list[Block], texts: list[Block], rules: Sequence[Frame], *, by_rows: bool
) -> list[Headline]:
    """Join lines of display type that stand together."""
    groups: list[list[Block]] = []
    for block in sorted(large, key=lambda b: b.y0):
        homes = [
            g for g in groups if any(_one_headline(o, block, (texts, rules), by_rows=by_rows) for o in g)
        ]
        groups = [g for g in groups if g not in homes]
        groups.append([other for g in homes for other in g] + [block])
    return [Headline([line for b in g for line in b.lines], g[0].frame) for g in groups]


def _one_headline(a: Block, b: Block, around: tuple[list[Block], Sequence[Frame]], *, by_rows: bool) -> bool:
    texts, rules = around
    if a.frame != b.frame:
        return False
    size = max(a.size, b.size)
    overlap, gap = _overlap(a, b), b.y0 - a.y1
    same_row = abs(a.lines[-1].base - b.lines[0].base) < 0.25 * size and a.size == b.size
    if same_row:
        near = len(a.lines) == len(b.lines) and -overlap <= 3.2 * size
        return near and ((not by_rows and _one_run(a, b, size)) or not _two_titles(a, b, texts))
    if overlap < 0.3 * min(a.width, b.width) or gap > 0.95 * size:
        return False
    ruled = any(
        a.y1 - 2 <= r.y0 and r.y1 <= b.y0 + 2 and min(r.x1, b.x1) - max(r.x0, b.x0) > 0.5 * b.width
        for r in rules
    )
    return not ruled or min(a.size, b.size) < 0.75 * size


def _one_run(a: Block, b: Block, size: float) -> bool:
    """Whether two pieces follow each other in the stream with room for one blank between."""
    left, right = (a, b) if a.x0 < b.x0 else (b, a)
    return 0 < right.order - left.last_order <= 4 and right.x0 - left.x1 <= _WIDEST_BLANK * size


def _two_titles(a: Block, b: Block, texts: list[Block]) -> bool:
    """Whether two pieces in one row are titles of two articles and not one title with a blank in it.

    Two titles stand over texts that both begin there; one title leaves equal room left and right of its two halves.
    """
    left, right = (a, b) if a.x0 < b.x0 else (b, a)
    below = [t for t in texts if t.frame == a.frame and 0 <= t.y0 - a.y1 < 6 * a.size]
    if any(t.x0 < left.x1 and t.x1 > right.x0 for t in below):
        return False
    second = [t for t in below if abs(t.x0 - right.x0) < max(2.5 * t.size, 1.2 * right.size)]
    first = [t for t in below if _overlap(t, left) > 0 and t.x1 <= right.x0 + t.size]
    if not second or not first:
        return False
    start = min(second, key=lambda t: t.top)
    if starts_article(start.spaced):
        return True
    if not start.heads and len(start.lines) > 1 and not start.is_indented(0):
        return False
    ends = [t for t in below if _overlap(t, right) > 0]
    margins = left.x0 - min(t.x0 for t in first), max(t.x1 for t in ends) - right.x1
    shifted = abs((left.x0 - min(t.x0 for t in first)) - (right.x0 - start.x0)) < 0.3 * a.size
    balanced = abs(margins[0] - margins[1]) < 0.6 * a.size and not shifted
    return not (balanced and right.x0 - left.x1 <= _WIDEST_BLANK * a.size)


def _group_upright(lines: list[Line], boxes: Sequence[Frame]) -> list[Headline]:
    groups: list[list[Line]] = []
    for line in sorted(lines, key=lambda v: v.x0):
        home = next((g for g in groups if _side_by_side(g[-1], line)), None)
        if home is None:
            groups.append([line])
        else:
            home.append(line)
    found = []
    for group in groups:
        middle = group[0]
        frame = innermost_box((middle.x0 + middle.x1) / 2, (middle.y0 + middle.y1) / 2, boxes)
        found.append(Headline(group, frame, vertical=True))
    return found


def _side_by_side(a: Line, b: Line) -> bool:
    gap, tall = b.x0 - a.x1, min(a.y1, b.y1) - max(a.y0, b.y0)
    return -2 <= gap <= 0.75 * max(a.size, b.size) and tall >= 0.4 * min(a.y1 - a.y0, b.y1 - b.y0)


def _attach_deck(small: list[Block], headlines: list[Headline], body: float) -> list[Block]:
    """Lines little larger than the text directly above or below a title are its kicker or subtitle."""
    left = []
    for block in small:
        dash = bool(re.match(r"[—–-]{1,2}", block.text)) or block.text.endswith("——")
        near = [
            h
            for h in headlines
            if not h.vertical
            and h.frame == block.frame
            and _overlap(h, block) > 0.5 * block.width
            and (-2 <= block.y0 - h.y1 <= 0.9 * h.size or -2 <= h.y0 - block.y1 <= 0.9 * h.size)
        ]
        if near and len(block.text) >= 5 and (dash or block.size >= 1.12 * body) and len(block.lines) <= 2:
            home = min(near, key=lambda h: min(abs(block.y0 - h.y1), abs(h.y0 - block.y1)))
            home.lines.extend(block.lines)
            home.__post_init__()
        else:
            left.append(block)
    return left


def _attach_bylines(parts: Parts) -> None:
    """A byline belongs to the headline close above it, else to the text below or above, else to the headline below."""
    for block in parts.bylines:
        near = [
            h
            for h in parts.headlines
            if not h.vertical and h.frame == block.frame and _overlap(h, block) > 0.5 * block.width
        ]
        over = [h for h in near if -2 <= block.y0 - h.y1 <= 4 * block.size]
        beneath = [h for h in near if -2 <= h.y0 - block.y1 <= 5 * block.size]
        under, upper = _text_below(block, parts.texts), _text_above(block, parts.texts)
        if over:
            over[0].byline = f"{over[0].byline} {block.spaced}".strip()
        elif under is not None:
            under.byline = f"{block.spaced} {under.byline}".strip()
        elif upper is not None:
            upper.signature = block.spaced
        elif beneath:
            beneath[0].byline = f"{beneath[0].byline} {block.spaced}".strip()


def _text_above(block: Block, texts: Iterable[Block]) -> Block | None:
    near = [
        t
        for t in texts
        if t.frame == block.frame
        and -2 <= block.y0 - t.y1 <= 2.2 * t.size
        and t.x0 - 2 <= block.x0
        and block.x1 <= t.x1 + t.size
    ]
    return max(near, key=lambda t: t.y1, default=None)
