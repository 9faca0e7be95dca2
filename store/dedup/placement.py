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
#: The same where two stories lie in one text side by side (a scan or some furniture may spoil a third of the known text).
LIES = 0.65
PAGE_REST = 120
#: Torn headlines keep at least this much; what follows must be the article itself.
MIN_HEADING = 4
#: Items from which a text is a round-up.
ROUNDUP = 3
#: An item that is less than this of a round-up does not give the round-up its story.
ITEM = 0.25
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
    """A stored article in comparison form; `leads` when its fingerprints are kept, `page` when it holds several stories.

    `published` is the moment it was first seen where it is not `dated`; `alone` says that its story has no other article.
    """

    article_id: int
    story_id: int
    text: Text
    page: bool = False
    leads: bool = True
    published: datetime = _EPOCH
    url: str = ""
    relation: str | None = None
    dated: bool = True
    alone: bool = False


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
    mentions: list[Known] = field(default_factory=list)  # texts that give the new one as an item, in brief
    near: list[Known] = field(default_factory=list)  # leading texts of other stories that share a passage
    verdicts: list[Match] = field(default_factory=list)


Titles = Callable[[int], list[str]]


def is_page_title(title: str) -> bool:
    """Tell whether a folded headline names a newspaper page ("第03版:要闻") instead of an article."""
    return _PAGE_TITLE.match(title) is not None


def quality(text: Text, other: Text, verdict: Verdict) -> float:
    """Return how well `other` explains `text` (`of_a` of the verdict is text's share): for choosing among stories."""
    return verdict.of_a + 0.1 * min(verdict.of_a, verdict.of_b) + 0.1 * titles_agree(text.title, other.title)


def place(
    text: Text, candidates: Iterable[Known], titles: Titles, *, apart: frozenset[int] = frozenset()
) -> Placement:
    """Decide where `text` belongs. `titles` gives the folded headlines of a story's articles,
    pages left out; stories in `apart` are forbidden.
    """
    placement = Placement(page=is_page_title(text.title))
    for known in candidates:
        verdict = compare(text, known.text)
        placement.verdicts.append(Match(known, verdict, quality(text, known.text, verdict)))
    matches = [m for m in placement.verdicts if m.verdict.kind == "same" and m.known.story_id not in apart]
    matches = [m for m in matches if not _quotes(text, m, placement.verdicts)]
    matches.sort(key=lambda m: (-m.quality, m.known.text.body, m.known.url))
    own = _take_parts(placement, text, _take_pages(placement, text, matches, titles))
    if own:
        placement.best = own[0]
        _judge_others(placement, text, own, titles)
    _note_items(placement, text)
    placement.leads = _leads(text, own)
    taken = placement.best.known.story_id if placement.best else 0
    placement.near = [
        m.known for m in placement.verdicts if m.known.story_id != taken and _share_passage(text, m)
    ]
    return placement


def _quotes(text: Text, match: Match, verdicts: list[Match]) -> bool:
    """Tell whether the new text merely quotes a story: it holds one of its excerpts, but not the longer text itself."""
    if match.verdict.of_a >= ITEM or text.furnished:
        return False
    size = 1.3 * len(match.known.text.body)
    return any(
        other.known.story_id == match.known.story_id
        and other.verdict.kind != "same"
        and not other.verdict.vetoed
        and not other.known.page
        and not other.known.text.furnished
        and len(other.known.text.body) >= size
        and other.verdict.of_b < FULL
        for other in verdicts
    )


def _take_pages(placement: Placement, text: Text, matches: list[Match], titles: Titles) -> list[Match]:
    """Set pages that merely hold `text` apart from texts that tell the same; return the latter."""
    if is_page_title(text.title):
        return matches
    holding = [m for m in matches if _holds(text, m)]
    own = [m for m in matches if m not in holding]
    if not own:
        # A page's own story takes a part of it only when its other articles bear the same headline.
        own = [m for m in holding if any(titles_agree(text.title, t) for t in titles(m.known.story_id))]
    placement.held_by = [m.known for m in holding if m not in own]
    return own


def _holds(text: Text, match: Match) -> bool:
    verdict = match.verdict
    if match.known.page:
        return min(verdict.of_a, verdict.of_b) < COVERED  # else a copy of the page itself
    return _is_part(text, match.known.text, verdict)


def _take_parts(placement: Placement, text: Text, matches: list[Match]) -> list[Match]:
    """Set small items of a round-up apart: `text` holds them under their own headlines, but tells much else."""
    own = []
    for match in matches:
        verdict = match.verdict
        if _is_part(match.known.text, text, Verdict("", 0, verdict.of_b, verdict.of_a, "")):
            placement.page = True
            if verdict.of_a < ITEM and not is_page_title(text.title):
                placement.also.append(match.known.story_id)
                continue
        own.append(match)
    return own


def _note_items(placement: Placement, text: Text) -> None:
    """Find what a round-up gives in brief: a headline and the beginning, too little to be the article itself."""
    for match in placement.verdicts:
        if match.verdict.kind == "same" or not _share_passage(text, match):
            continue
        known = match.known
        if titles_agree(text.title, known.text.title):
            continue
        if has_heading(text, known.text.plain_title, known.text):
            placement.also.append(known.story_id)
        elif has_heading(known.text, text.plain_title, text):
            placement.mentions.append(known)
    taken = placement.best.known.story_id if placement.best else 0
    placement.also = sorted(set(placement.also) - {taken, *placement.unite})
    # Two teasers may stand below any article; more make a round-up, which must not draw the items' copies.
    placement.page = placement.page or len(placement.also) >= ROUNDUP


def _share_passage(text: Text, match: Match) -> bool:
    return match.verdict.of_a * len(text.body) >= PASSAGE


def is_near(text: Text, match: Match) -> bool:
    """Tell whether the text and what it was compared with may decide each other's place."""
    return match.verdict.kind == "same" or _share_passage(text, match)


def _leads(text: Text, matches: list[Match]) -> bool:
    """Tell whether no leading text represents `text` yet: none holds it, or only one that is mostly page furniture."""
    held = [m for m in matches if not m.known.page]
    covered = max((m.verdict.of_a for m in held), default=0.0)
    if not matches or (covered < COVERED and (1 - covered) * len(text.body) >= MIN_UNCOVERED):
        return True
    buried = all(m.known.text.furnished and m.verdict.of_b < FULL for m in held)
    return buried and not text.furnished


def _is_part(part: Text, page: Text, verdict: Verdict) -> bool:
    """Tell whether `part` (of_a of the verdict) stands on `page` as one article of several, under its own headline."""
    if verdict.of_a < PART or verdict.of_b > PART_OF_PAGE:
        return False
    if part.title in page.title or (page.title and page.title in part.title):
        return False
    if (1 - verdict.of_b) * len(page.body) < PAGE_REST:
        return False
    if is_page_title(page.title):
        return True
    return not page.furnished and has_heading(page, part.plain_title, part)


def has_heading(page: Text, title: str, part: Text) -> bool:
    """Tell whether `page` shows the headline `title` (folded, no digits) right before the beginning of `part`."""
    if len(title) < MIN_HEADING or title in part.plain[: 2 * _START]:
        return False  # a headline taken from the text itself stands before it everywhere
    begin = page.plain.find(title)
    if begin < 0:
        return False
    after = page.plain[begin + len(title) : begin + len(title) + 2 * min(_START, 10 * len(title))]
    start = part.plain[:_START]
    return any(start[i : i + 6] in after for i in range(0, max(1, len(start) - 6), 6))


def _judge_others(placement: Placement, text: Text, matches: list[Match], titles: Titles) -> None:
    """Sort the further stories that match: one with the best one, or others on the same page."""
    by_story: dict[int, list[Match]] = {}
    for match in matches:
        by_story.setdefault(match.known.story_id, []).append(match)
    best = by_story.pop(matches[0].known.story_id)
    for story, others in by_story.items():
        if story in placement.also:
            continue
        answer = _relation_of_stories(text, best, others, titles)
        if answer == "one":
            placement.unite.append(story)
        elif answer == "page":
            placement.page = True
            placement.also.append(story)
    if placement.page:
        lying = [story for story, others in by_story.items() if any(map(_lies_in, others))]
        placement.also = sorted({*placement.also, *lying}.difference(placement.unite))


def _lies_in(match: Match) -> bool:
    return match.verdict.of_b >= LIES and match.verdict.of_a < PART


def _relation_of_stories(text: Text, best: list[Match], others: list[Match], titles: Titles) -> str:
    """Return "one" when `text` proves two stories to be one, "page" when it holds both, "" when it proves nothing."""
    best = [m for m in best if not m.known.page]
    others = [m for m in others if not m.known.page]
    if not best or not others:
        return ""
    if is_page_title(text.title):
        return "page" if any(map(_lies_in, others)) else ""
    for mine in best:
        for other in others:
            shares = mine.verdict.of_b, other.verdict.of_b
            if max(shares) < FULL or min(shares) < ITEM:
                continue  # a short text proves nothing about long ones that both quote it
            if _overlap(text, mine.known.text, other.known.text):
                return "one" if not text.masks and _may_be_one(mine, other) else ""
    mine, other = (max(group, key=lambda m: m.verdict.of_b) for group in (best, others))
    if not (_lies_in(mine) and _lies_in(other)):
        return ""
    return _by_headlines(text, mine, other, titles)


def _may_be_one(mine: Match, other: Match) -> bool:
    """Tell whether nothing speaks against uniting, or `text` is a full copy of both: a correction beside a noisy scan."""
    if min(mine.verdict.of_a, mine.verdict.of_b, other.verdict.of_a, other.verdict.of_b) >= COVERED:
        return True
    return not compare(mine.known.text, other.known.text).vetoed


def _by_headlines(text: Text, best: Match, other: Match, titles: Titles) -> str:
    """Judge two disjoint stories that both lie in `text` by their headlines."""
    mine, theirs = titles(best.known.story_id), titles(other.known.story_id)
    in_mine, in_theirs = (any(titles_agree(text.title, title) for title in group) for group in (mine, theirs))
    if (in_mine and in_theirs) or any(titles_agree(a, b) for a in mine for b in theirs):
        return "one"
    for match, group in ((other, theirs), (best, mine)):
        if any(has_heading(text, _plain(title), match.known.text) for title in group):
            return "page"
    foreign = theirs if in_mine else mine
    # One headline may be damaged, two that both differ are another article's.
    return "page" if in_mine != in_theirs and len(foreign) > 1 else ""


def _plain(title: str) -> str:
    return "".join(sign for sign in title if not sign.isdigit())


def _overlap(text: Text, a: Text, b: Text) -> bool:
    """Tell whether `a` and `b` hold the same part of `text`."""
    in_a, in_b = text.grams & a.grams, text.grams & b.grams
    smaller = min(len(in_a), len(in_b))
    return smaller > 0 and len(in_a & in_b) >= 0.6 * smaller
