"""Torn lines to articles: which body line goes on which article, and where a new one begins."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from crawler.extract.torn_lines import (
    Kind,
    Line,
    cjk_length,
    is_connective,
    is_finished,
    is_label,
    is_lead,
    is_numbered,
    starts_inside,
)

_ZONE = re.compile(
    "([\u4e00-\u9fff]{2,4}?)(?=(?:国家)?(?:级)?(?:高新技术产业(?:开发区|园区|示范区)|高新区|经开区|经济技术开发区|示范区|开发区|保税区|科学城|科技城|新区|农高区))"
)
_NO_ZONE = re.compile(
    "国家$|家级$|[该各全个我园本在到于向对为入是与和及的省市]$|高$|新技$|济技$|治县$|家自$|主创$|贸易$|融合$|集聚$|培育$|创新$|试验$|先行$"
)

#: Score above which a headline between two finished paragraphs begins an article. Tuned on made torn pages of
#: tests/quality/torn_pages.py and two real ones; 2.0-3.5 changed less than one article in a hundred.
NEW_ARTICLE = 2.5
#: Score from which a paragraph goes on an article left open before another one began.
GOES_ON = 2.0


@dataclass(slots=True)
class Stray:
    """A run of headline lines found at `paragraph` of an article (0 = before its first)."""

    lines: list[Line]
    article: int
    paragraph: int
    inside_sentence: bool = False


@dataclass(slots=True)
class Draft:
    """An article being put together; `unfinished` while its last paragraph ends inside a sentence."""

    start: int
    names: str | None = None
    paragraphs: list[str] = field(default_factory=list)
    dateline: bool = False
    captions: list[str] = field(default_factory=list)
    subheads: dict[int, list[Line]] = field(default_factory=dict)
    headed: bool = False
    size: int = 0
    index: int = 0
    #: character pairs of the body and mentions of zones, kept up while it grows
    pairs: set[str] = field(default_factory=set)
    zones: Counter[str] = field(default_factory=Counter)

    @property
    def unfinished(self) -> bool:
        return bool(self.paragraphs) and not is_finished(self.paragraphs[-1])

    @property
    def body(self) -> str:
        return "\n".join(self.paragraphs)

    def add(self, text: str, *, joined: bool) -> None:
        """Append `text` as a paragraph, or to the last one when it is the rest of a sentence."""
        self.size += len(text)
        self.pairs |= bigrams(text)
        self.zones.update(zones_in(text))
        if not joined or not self.paragraphs:
            self.paragraphs.append(text)
            return
        before = self.paragraphs[-1]
        latin = before[-1:].isascii() and before[-1:].isalnum() and text[:1].isascii() and text[:1].isalpha()
        self.paragraphs[-1] = before + (" " if latin else "") + text


def zones_in(text: str) -> list[str]:
    """Return the zones named in `text` in order, each by the last two characters of its place name."""
    return [match[1][-2:] for match in _ZONE.finditer(text) if not _NO_ZONE.search(match[1])]


def bigrams(text: str) -> set[str]:
    """Return the pairs of neighbouring word characters in `text`."""
    bare = re.sub(r"\W", "", text)
    return {bare[i : i + 2] for i in range(len(bare) - 1)}


def overlap(headline: str, pairs: set[str]) -> float:
    """Return the share (0-1) of the headline's character pairs that are among `pairs`."""
    own = bigrams(headline)
    return len(own & pairs) / len(own) if own else 0.0


@dataclass(slots=True)
class Cut:
    """A page cut into drafts, and the runs of headline lines found on the way."""

    drafts: list[Draft] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)


def cut(lines: Sequence[Line]) -> Cut:
    """Return the page's articles in reading order; adverts, captions and furniture take no part."""
    return _Cutter(headlines_first(lines)).run()


#: How much more of the headlines' words must stand in the text before than after them to take them as set below it.
_BELOW = -0.05


def headlines_first(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with headlines that stand below their articles (as some programs write pages) put above them."""
    runs = _headline_runs(lines)
    bodies = [i for i, line in enumerate(lines) if line.kind is Kind.BODY]
    if len(runs) < 2 or not bodies or runs[0][0] < bodies[0] or runs[-1][0] < bodies[-1]:
        return list(lines)
    leans = [_overlap_near(lines, start, -1) - _overlap_near(lines, end - 1, 1) for start, end in runs[:-1]]
    if sum(leans) / len(leans) < _BELOW:
        return list(lines)
    ordered: list[Line] = []
    before = 0
    for start, end in runs:
        ordered += [*lines[start:end], *lines[before:start]]
        before = end
    return ordered + list(lines[before:])


def _headline_runs(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return (start, end) of the runs of headline lines that are long enough for an article."""
    runs: list[tuple[int, int]] = []
    start = 0
    for is_heading, group in itertools.groupby(
        lines, key=lambda line: line.kind in {Kind.HEADING, Kind.FRAGMENT}
    ):
        size = len(items := list(group))
        if is_heading and sum(cjk_length(line.text) for line in items) >= 10:
            runs.append((start, start + size))
        start += size
    return runs


def _overlap_near(lines: Sequence[Line], place: int, step: int) -> float:
    """Return how much of the headline at `place` stands in the nearest four body lines before (-1) or after (1) it."""
    texts: list[str] = []
    i = place + step
    while 0 <= i < len(lines) and len(texts) < 4:
        if lines[i].kind is Kind.BODY:
            texts.append(lines[i].text)
        i += step
    return overlap(lines[place].text, bigrams("".join(texts)))


class _Cutter:
    """Walks the lines once; `pending` are the lines since the last body line that are no body."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = [line for line in lines if line.kind != Kind.FURNITURE]
        self.result = Cut()
        self.current: Draft | None = None
        self.pending: list[Line] = []

    def run(self) -> Cut:
        for position, line in enumerate(self.lines):
            if line.kind is Kind.BODY:
                self._take(line, position)
                self.pending = []
            else:
                self.pending.append(line)
        self._finish()
        return self.result

    def _take(self, line: Line, position: int) -> None:
        current = self.current
        headings = _headings(self.pending)
        if current is None or line.dateline:
            self._begin(line)
        elif current.unfinished:
            opens = self._opens_after_tear(line, headings)
            self._begin(line) if opens else self._go_on(current, line, joined=True)
        elif self._begins(current, line, headings, position):
            self._begin(line)
        else:
            draft = self._open_draft(line) if not headings else None
            self._go_on(draft or current, line, joined=draft is not None)

    def _opens_after_tear(self, line: Line, headings: list[Line]) -> bool:
        """Say whether `line` begins an article although the one before it stops inside a sentence."""
        if starts_inside(line.text) or not headings:
            return False
        score = 1.0 * is_lead(line.text) + 0.5 * is_connective(line.text)
        score += 2.0 * (self.pending[-1].kind is Kind.BYLINE and headings[-1] is not self.pending[-1])
        score += 1.5 * _shares_zone(headings[-1].text, line.text, but_not=self.current)
        return score >= 2

    def _begins(self, current: Draft, line: Line, headings: list[Line], position: int) -> bool:
        upcoming = self._upcoming(position)
        bylines = [item for item in self.pending if item.kind is Kind.BYLINE]
        if bylines and not headings:
            ends = all(item.text.startswith(("(", "（")) for item in bylines)
            return not ends or is_lead(line.text) or self._new_zone(current, line, upcoming)
        if bylines:
            return True
        if headings:
            return self._headline_score(current, headings, position) >= NEW_ARTICLE
        return self._new_zone(current, line, upcoming) and (
            is_lead(line.text)
            or line.gap > 0
            or any(p.kind in {Kind.CAPTION, Kind.ADVERT} for p in self.pending)
        )

    def _headline_score(self, current: Draft, headings: list[Line], position: int) -> float:
        """Return how surely the last headlines begin an article rather than a section of the current one."""
        line, upcoming = self.lines[position], self._upcoming(position)
        text = "".join(item.text for item in headings)
        size = max(cjk_length(item.text) for item in headings)
        zones = zones_in(text)
        score = (
            1.0 * (size >= 10)
            + 1.0 * (size >= 12)
            + 1.0 * (size >= 16)
            - 1.5 * (size <= 9)
            + 1.0 * (len(headings) > 1)
        )
        score += 3.0 * bool(zones and zones[0] not in current.zones) + 3.0 * self._new_zone(
            current, line, upcoming
        )
        score += 1.5 * is_lead(line.text) - 1.0 * is_connective(line.text)
        score += 1.5 * bool(re.search("^[^：:]{2,12}[：:]\\S", headings[-1].text))
        score -= 5.0 * is_numbered(headings[-1].text) + 2.0 * (current.size < 60)
        score -= 2.0 * self._has_siblings(headings[-1], current, position)
        score += (4.0 if size > 9 else 1.0) * (
            overlap(text, bigrams(upcoming)) - overlap(text, current.pairs)
        )
        if not current.headed:
            score -= 4.0 if set(zones) & set(current.zones) else 1.5
        return score + 0.5 * (line.gap > 0)

    def _has_siblings(self, heading: Line, current: Draft, position: int) -> bool:
        """Say whether other headings of the same length stand in the article or ahead: subheads are parallel."""
        others = [line for row in current.subheads.values() for line in row][-8:]
        for line in self.lines[position : position + 60]:
            if line.kind is Kind.BYLINE or line.dateline:
                break
            if line.kind is Kind.HEADING:
                others.append(line)
        length = cjk_length(heading.text)
        return any(
            abs(cjk_length(other.text) - length) <= 1 and other.text != heading.text for other in others
        )

    def _new_zone(self, current: Draft, line: Line, upcoming: str) -> bool:
        """Say whether the text from `line` on tells of another zone than the current article."""
        here, before = zones_in(line.text), current.zones
        if not here or not before or here[0] in before:
            return False
        main = before.most_common(1)[0][0]
        after = zones_in(upcoming)
        return after.count(main) <= after.count(here[0])

    def _upcoming(self, position: int) -> str:
        """Return the body text from `position` to the next sure start, at most four lines."""
        texts: list[str] = []
        for i, line in enumerate(self.lines[position:]):
            if i and (line.dateline or line.kind is Kind.BYLINE):
                break
            if line.kind is Kind.BODY:
                texts.append(line.text)
            if len(texts) == 4:
                break
        return "".join(texts)

    def _open_draft(self, line: Line) -> Draft | None:
        """Return the article broken off earlier that `line` goes on, if there is one that fits."""
        best, best_score = None, GOES_ON
        for draft in self.result.drafts[-8:-1]:
            if not draft.unfinished or self.current is None:
                continue
            score = 3.0 * starts_inside(line.text) - 2.0 * is_lead(line.text) - 1.5 * is_connective(line.text)
            here = set(zones_in(line.text))
            score += 2.0 * bool(here & set(draft.zones)) - 2.0 * bool(here & set(self.current.zones))
            score += 6.0 * (overlap(line.text, draft.pairs) - overlap(line.text, self.current.pairs))
            if score >= best_score:
                best, best_score = draft, score
        return best

    def _begin(self, line: Line) -> None:
        draft = Draft(line.number, line.names, dateline=line.dateline, index=len(self.result.drafts))
        self.result.drafts.append(draft)
        self._place_bylines(self.current, draft)
        self._place_headings(draft.index, 0, inside=False)
        self._place_captions(self.current or draft)
        draft.add(line.text, joined=False)
        self.current = draft

    def _go_on(self, draft: Draft, line: Line, *, joined: bool) -> None:
        index = draft.index
        self._place_bylines(draft, draft)
        self._place_headings(index, len(draft.paragraphs), inside=joined)
        self._place_captions(draft)
        draft.add(line.text, joined=joined)
        self.current = draft

    def _place_bylines(self, before: Draft | None, after: Draft) -> None:
        """Give a byline below a headline to the article that begins, one above it to the one that ends."""
        seen_heading = before is None or not _headings(self.pending)
        for item in self.pending:
            seen_heading = seen_heading or item.kind is Kind.HEADING
            if item.kind is Kind.BYLINE:
                owner = after if seen_heading or before is None else before
                owner = (
                    before
                    if before is not None and not _headings(self.pending) and before.names is None
                    else owner
                )
                owner.names = owner.names or item.names

    def _place_headings(self, article: int, paragraph: int, *, inside: bool) -> None:
        headings = _headings(self.pending)
        if not headings:
            return
        self.result.strays.append(Stray(headings, article, paragraph, inside))
        draft = self.result.drafts[article]
        draft.headed = draft.headed or (not paragraph and not all(is_label(item.text) for item in headings))
        if paragraph and not draft.headed:
            draft.headed = _is_torn_headline(headings, draft)
        if paragraph and not inside:
            draft.subheads.setdefault(paragraph, []).extend(headings)

    def _place_captions(self, draft: Draft) -> None:
        draft.captions += [item.text for item in self.pending if item.kind is Kind.CAPTION]

    def _finish(self) -> None:
        if self.current is None:
            return
        for item in self.pending:
            if item.kind is Kind.BYLINE and self.current.names is None:
                self.current.names = item.names
        self._place_captions(self.current)
        headings = _headings(self.pending)
        if headings:
            last = len(self.result.drafts) - 1
            paragraph = len(self.result.drafts[last].paragraphs)
            self.result.strays.append(Stray(headings, last, paragraph, inside_sentence=True))


def _headings(pending: Iterable[Line]) -> list[Line]:
    return [line for line in pending if line.kind in {Kind.HEADING, Kind.FRAGMENT}]


def _is_torn_headline(headings: list[Line], draft: Draft) -> bool:
    """Say whether headline lines inside an article that has none above it are its own, torn."""
    text = "".join(line.text for line in headings)
    pieces = any(line.kind is Kind.FRAGMENT for line in headings)
    return pieces or (cjk_length(text) >= 10 and overlap(text, draft.pairs) >= 0.3)


def _shares_zone(headline: str, text: str, *, but_not: Draft | None) -> bool:
    zones = set(zones_in(headline)) & set(zones_in(text))
    return bool(zones - set(but_not.zones if but_not else ()))
