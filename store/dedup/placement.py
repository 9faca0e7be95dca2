"""Where a new text belongs among the leading texts that resemble it: which story, which others it holds or unites."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from store.dedup.same_story import Text, Verdict, compare, titles_agree

#: A text stays a mere copy while its story's leading text holds this share of it; below, it leads as well.
COVERED = 0.75
MIN_UNCOVERED = 60
#: A part lies in a page to this share, the page holds this many 4-grams more.
PART = 0.80
PART_OF_PAGE = 0.75
PAGE_REST = 120
#: Share of two leading texts that a full copy of both must hold.
FULL = 0.50
#: 4-grams in common from which two texts share a passage (a sentence of 33 signs).
PASSAGE = 30
#: Gain in quality that moves a copy from one story to another.
BETTER = 0.03
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE_TITLE = re.compile(r"第?[0-9a-z]{1,4}版")
_START = 60


@dataclass(slots=True)
class Known:
    """A stored article in comparison form; `leads` when its fingerprints are kept, `page` when it holds several stories."""

    article_id: int
    story_id: int
    text: Text
    page: bool = False
    leads: bool = True
    published: datetime = _EPOCH
    url: str = ""
    relation: str | None = None


@dataclass(slots=True)
class Match:
    """A leading text that the new text was compared with; `of_a` of the verdict is the share of the new text."""

    known: Known
    verdict: Verdict
    quality: float


@dataclass(slots=True)
class Placement:
    """What to do with a new text. Without `best` it starts a story of its own."""

    best: Match | None = None
    leads: bool = True
    page: bool = False
    also: list[int] = field(default_factory=list)  # other stories on this page
    unite: list[int] = field(default_factory=list)  # stories that are one with best's
    held_by: list[Known] = field(default_factory=list)  # pages that hold the new text under its own headline
    near: list[Known] = field(default_factory=list)  # leading texts of other stories that share a passage
    verdicts: list[Match] = field(default_factory=list)


Titles = Callable[[int], Iterable[str]]


def is_page_title(title: str) -> bool:
    """Tell whether a folded headline names a newspaper page ("第03版:要闻") instead of an article."""
    return _PAGE_TITLE.match(title) is not None


def quality(text: Text, other: Text, verdict: Verdict) -> float:
    """Return how well `other` explains `text` (`of_a` of the verdict is text's share): for choosing among stories."""
    return verdict.of_a + 0.1 * min(verdict.of_a, verdict.of_b) + 0.1 * titles_agree(text.title, other.title)


def place(
    text: Text, candidates: Iterable[Known], titles: Titles, *, apart: frozenset[int] = frozenset()
) -> Placement:
    """Decide where `text` belongs. `titles` gives the folded headlines of a story; stories in `apart` are forbidden."""
    placement = Placement(page=is_page_title(text.title))
    for known in candidates:
        verdict = compare(text, known.text)
        placement.verdicts.append(Match(known, verdict, quality(text, known.text, verdict)))
    matches = [m for m in placement.verdicts if m.verdict.kind == "same" and m.known.story_id not in apart]
    matches.sort(key=lambda m: (-m.quality, m.known.article_id))
    holding = [m for m in matches if not placement.page and _is_part(text, m)]
    placement.held_by = [m.known for m in holding]
    own = [m for m in matches if m not in holding] if holding else matches
    drawing = [m for m in own if not m.known.page] or own
    if drawing:
        placement.best = drawing[0]
        _judge_others(placement, text, drawing, titles)
    placement.leads = _leads(text, own)
    taken = placement.best.known.story_id if placement.best else 0
    placement.near = [
        m.known for m in placement.verdicts if m.known.story_id != taken and _share_passage(text, m)
    ]
    return placement


def _share_passage(text: Text, match: Match) -> bool:
    return match.verdict.of_a * len(text.grams) >= PASSAGE


def _leads(text: Text, matches: list[Match]) -> bool:
    covered = max((m.verdict.of_a for m in matches if not m.known.page), default=0.0)
    return (covered < COVERED and (1 - covered) * len(text.grams) >= MIN_UNCOVERED) or not matches


def _is_part(text: Text, match: Match) -> bool:
    """Tell whether the matched text is a page on which `text` stands as one article of several, under its own headline."""
    verdict, other = match.verdict, match.known.text
    if verdict.of_a < PART or verdict.of_b > PART_OF_PAGE or titles_agree(text.title, other.title):
        return False
    if (1 - verdict.of_b) * len(other.grams) < PAGE_REST:
        return False
    return (match.known.page and is_page_title(other.title)) or has_heading(other, text.plain_title, text)


def has_heading(page: Text, title: str, part: Text) -> bool:
    """Tell whether `page` shows the headline `title` (folded, no digits) right before the beginning of `part`."""
    if len(title) < 5 or part.plain.startswith(title[:5]):
        return False
    begin = page.plain.find(title)
    if begin < 0:
        return False
    after = page.plain[begin + len(title) : begin + len(title) + 2 * _START]
    start = part.plain[:_START]
    return any(start[i : i + 6] in after for i in range(0, max(1, len(start) - 6), 6))


def _judge_others(placement: Placement, text: Text, matches: list[Match], titles: Titles) -> None:
    """Sort the further stories that match: one with the best one, or others on the same page."""
    best = matches[0]
    seen = {best.known.story_id}
    for other in matches[1:]:
        story = other.known.story_id
        if story in seen:
            continue
        seen.add(story)
        answer = _relation_of_stories(text, best, other, titles)
        if answer == "one":
            placement.unite.append(story)
        elif answer == "page":
            placement.page = True
            placement.also.append(story)
    if placement.page:
        placement.also += [
            m.known.story_id for m in matches[1:] if _lies_in(m) and m.known.story_id != best.known.story_id
        ]
        placement.also = sorted(set(placement.also) - set(placement.unite))


def _lies_in(match: Match) -> bool:
    return match.verdict.of_b >= PART and match.verdict.of_a < PART


def _relation_of_stories(text: Text, best: Match, other: Match, titles: Titles) -> str:
    """Return "one" when `text` proves two stories to be one, "page" when it holds both, "" when it proves nothing."""
    if best.known.page or other.known.page or compare(best.known.text, other.known.text).vetoed:
        return ""
    if min(best.verdict.of_a, best.verdict.of_b, other.verdict.of_a, other.verdict.of_b) >= FULL:
        return "" if text.masks else "one"
    if placement_page := is_page_title(text.title):
        return "page" if placement_page and _lies_in(other) else ""
    if (
        _overlap(text, best.known.text, other.known.text)
        and max(best.verdict.of_b, other.verdict.of_b) >= FULL
    ):
        return "" if text.masks else "one"
    if not (_lies_in(best) and _lies_in(other)):
        return ""
    return _by_headlines(text, best, other, titles)


def _by_headlines(text: Text, best: Match, other: Match, titles: Titles) -> str:
    mine, theirs = set(titles(best.known.story_id)), set(titles(other.known.story_id))
    if any(titles_agree(text.title, title) for title in theirs) and any(
        titles_agree(text.title, t) for t in mine
    ):
        return "one"
    if any(titles_agree(a, b) for a in mine for b in theirs):
        return "one"
    for match, known in ((other, theirs), (best, mine)):
        if any(has_heading(text, _plain(title), match.known.text) for title in known):
            return "page"
    return "one" if any(titles_agree(text.title, title) for title in theirs) and not mine else ""


def _plain(title: str) -> str:
    return "".join(sign for sign in title if not sign.isdigit())


def _overlap(text: Text, a: Text, b: Text) -> bool:
    """Tell whether `a` and `b` hold the same part of `text`."""
    in_a, in_b = text.grams & a.grams, text.grams & b.grams
    smaller = min(len(in_a), len(in_b))
    return smaller > 0 and len(in_a & in_b) >= 0.6 * smaller
