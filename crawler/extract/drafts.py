"""Flows of a page given their headlines, leads and stray pieces: the drafts of its articles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.chains import chains_of
from crawler.extract.headlines import Headline
from crawler.extract.layout import End, Layout, Start
from crawler.extract.links import link_score

if TYPE_CHECKING:
    from crawler.extract.columns import Block
    from crawler.extract.headlines import Parts
    from crawler.extract.pdf import Frame


@dataclass
class Draft:
    """An article in the making: flows under one headline."""

    blocks: list[Block]
    headline: Headline | None = None
    head_score: float = 0.0
    weakest: float = 9.0

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        things: list[Block | Headline] = [*self.blocks]
        if self.headline is not None:
            things.append(self.headline)
        return (
            min(t.x0 for t in things),
            min(t.y0 for t in things),
            max(t.x1 for t in things),
            max(t.y1 for t in things),
        )


def drafts_of(parts: Parts, layout: Layout) -> list[Draft]:
    """Return the articles of a page as flows under headlines; those without headline are pieces nobody claimed."""
    leads = leads_of(layout)
    drafts = _head_chains(chains_of(layout), layout)
    drafts = _split_for_unused(drafts, layout)
    stories = _picture_stories(drafts, layout)
    _nearest_headlines(drafts, layout)
    drafts = _join_orphans([d for d in drafts if d not in stories], layout) + stories
    _add_leads(drafts, leads)
    _small_titles(drafts, parts)
    return drafts + _caption_stories(drafts, parts, layout)


# --- leads ------------------------------------------------------------------------------------------------------------


def leads_of(layout: Layout) -> list[tuple[Block, Headline]]:
    """Take the leads out of the layout's texts and return them with their headlines.

    A lead is set in another size, measure or type than the columns it stands over, directly under a headline that
    has columns too, or directly over a headline and under none.
    """
    found: list[tuple[Block, Headline]] = []
    for block in layout.texts:
        cover = layout.covers.get(id(block))
        if cover is not None and id(block) in layout.direct and _leads_columns(block, cover, layout):
            found.append((block, cover))
        elif (cover is None or block.top - cover.y1 > 6 * layout.body) and (
            head := _headline_below(block, layout)
        ) is not None:
            found.append((block, head))
    taken = {id(block) for block, _ in found}
    layout.texts = [block for block in layout.texts if id(block) not in taken]
    return found


def _leads_columns(block: Block, cover: Headline, layout: Layout) -> bool:
    below = [
        t
        for t in layout.texts
        if t is not block and layout.covers.get(id(t)) is cover and t.top >= block.y1 - 0.5 * block.size
    ]
    beside = any(
        t is not block and layout.covers.get(id(t)) is cover and abs(t.top - block.top) < 2 * block.size
        for t in layout.texts
    )
    text = sum(len(t.text) for t in below)
    if not below or beside or text < 0.6 * len(block.text):
        return False
    main = max(below, key=lambda t: len(t.text))
    differs = abs(block.size - main.size) > 0.05 * main.size or block.font != main.font
    return differs or all(block.width > 1.4 * t.width for t in below)


def _differs(block: Block, layout: Layout) -> bool:
    return abs(block.size - layout.body) > 0.05 * layout.body or block.font != layout.usual_font


def _headline_below(block: Block, layout: Layout) -> Headline | None:
    """Return the headline right below a text that stands under no other."""
    if len(block.lines) > 14 or not _differs(block, layout):
        return None
    near = [
        h
        for h in layout.headlines
        if not h.vertical
        and h.frame == block.frame
        and -2 <= h.y0 - block.y1 <= 6 * layout.body
        and min(block.x1, h.x1) - max(block.x0, h.x0) > 0.4 * min(block.width, h.width)
        and not layout.ruled(block.y1, h.y0, block)
    ]
    return min(near, key=lambda h: h.y0, default=None)


def _add_leads(drafts: list[Draft], leads: list[tuple[Block, Headline]]) -> None:
    """Put every lead before the text of its headline; one whose headline has no text is its text."""
    for block, head in sorted(leads, key=lambda lead: -lead[0].top):
        home = next((d for d in drafts if d.headline is head), None)
        if home is None:
            drafts.append(Draft([block], head, 2.0, weakest=2.5))
        else:
            home.blocks.insert(0, block)


# --- headlines to flows -----------------------------------------------------------------------------------------------


def _head_chains(chains: list[list[Block]], layout: Layout) -> list[Draft]:
    """Give every flow the headline that speaks most for it; a headline serves one flow."""
    drafts = [Draft(chain, weakest=_weakest(chain, layout)) for chain in chains]
    scores = [
        (score, i, k)
        for i, draft in enumerate(drafts)
        for k, headline in enumerate(layout.headlines)
        if (score := _head_score(headline, draft.blocks, layout)) > 0.9
    ]
    used: set[int] = set()
    for score, i, k in sorted(scores, key=lambda s: (-s[0], s[1], s[2])):
        if drafts[i].headline is None and k not in used:
            drafts[i].headline, drafts[i].head_score = layout.headlines[k], score
            used.add(k)
    return drafts


def _weakest(chain: list[Block], layout: Layout) -> float:
    return min((link_score(a, b, layout) for a, b in pairwise(chain)), default=9.0)


def _head_score(headline: Headline, chain: list[Block], layout: Layout) -> float:
    first = chain[0]
    if headline.frame != first.frame:
        return 0.0
    if headline.vertical:
        return _upright_score(headline, chain, layout)
    under = [b for b in chain if layout.covers.get(id(b)) is headline]
    direct = [b for b in under if id(b) in layout.direct]
    score = min(2.0, 0.7 * len(under)) + 1.0 * bool(direct)
    if layout.covers.get(id(first)) is headline:
        score += 2.0 if id(first) in layout.direct else 0.5
        gap = max(0.0, first.top - headline.y1)
        score += max(-1.0, 0.6 - 0.1 * gap / first.size)
    if layout.starts[id(first)] is Start.FLOWING:
        score -= 1.0
    return score


def _upright_score(headline: Headline, chain: list[Block], layout: Layout) -> float:
    x0, x1 = min(b.x0 for b in chain), max(b.x1 for b in chain)
    y0, y1 = min(b.top for b in chain), max(b.y1 for b in chain)
    tall = headline.y1 - headline.y0
    beside = (min(headline.y1, y1) - max(headline.y0, y0)) / tall
    if beside < 0.35:
        return 0.0
    size, first = layout.body, chain[0]
    gap = max(x0 - headline.x1, headline.x0 - x1, 0.0)
    if gap > 4 * size:
        return 0.0
    score = 1.5 + 0.8 * beside - 0.2 * gap / size
    if x0 < headline.x0 and headline.x1 < x1:
        score += 1.5
    if abs(headline.y0 - first.top) < 3 * size:
        score += 1.0
    if layout.covers.get(id(first)) is not None and id(first) in layout.direct:
        score -= 1.5
    fenced = any(
        rule.height > rule.width
        and (headline.x1 - 2 <= rule.x0 <= x0 + 2 or x1 - 2 <= rule.x0 <= headline.x0 + 2)
        and min(rule.y1, headline.y1) - max(rule.y0, headline.y0) > 0.3 * tall
        for rule in layout.rules
    )
    return score - 2.5 * fenced


# --- flows without a headline -----------------------------------------------------------------------------------------


def _join_orphans(drafts: list[Draft], layout: Layout) -> list[Draft]:
    """Leads, wrapped pieces and flows cut too early go to the article they stand in."""
    headed = [d for d in drafts if d.headline is not None]
    orphans = sorted((d for d in drafts if d.headline is None), key=lambda d: (d.bounds[1], d.bounds[0]))
    left = []
    for orphan in orphans:
        best = max(((_orphan_score(orphan, d, layout), i) for i, d in enumerate(headed)), default=(0.0, -1))
        if best[0] >= 1.0:
            _insert(orphan, headed[best[1]], layout)
        else:
            left.append(orphan)
    return headed + left


def _orphan_score(orphan: Draft, draft: Draft, layout: Layout) -> float:
    first, head = orphan.blocks[0], draft.headline
    if head is None or first.frame != draft.blocks[0].frame:
        return 0.0
    score = 0.0
    if any(layout.covers.get(id(b)) is head for b in orphan.blocks):
        score += 2.0
    link = max(
        link_score(draft.blocks[-1], first, layout), link_score(orphan.blocks[-1], draft.blocks[0], layout)
    )
    score += min(1.5, max(0.0, 0.5 * link + 0.5))
    score += 1.2 * _inside(orphan, draft)
    begins = layout.starts[id(first)] is Start.ARTICLE
    if _left_of_upright(orphan, draft, layout):
        score += 2.0
        begins &= layout.starts[id(draft.blocks[0])] is Start.ARTICLE
    if begins:
        score -= 2.0
    if len(orphan.text) < 20:
        score -= 0.5
    return score


def _left_of_upright(orphan: Draft, draft: Draft, layout: Layout) -> bool:
    """Whether a vertical headline stands between a flow without headline and its own, all beginning at one height."""
    head, first = draft.headline, draft.blocks[0]
    if head is None or not head.vertical or first.x0 < head.x1 - 2:
        return False
    right = max(b.x1 for b in orphan.blocks)
    level = (
        abs(orphan.blocks[-1].top - first.top) < 2.5 * layout.body
        or abs(orphan.bounds[1] - first.top) < 2.5 * layout.body
    )
    return level and -2 <= head.x0 - right <= 3 * layout.body


def _inside(orphan: Draft, draft: Draft) -> float:
    """Return the share of the orphan's blocks whose middle lies within the article's bounds."""
    x0, y0, x1, y1 = draft.bounds
    middles = [((b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2) for b in orphan.blocks]
    return sum(x0 <= x <= x1 and y0 <= y <= y1 for x, y in middles) / len(middles)


def _insert(orphan: Draft, draft: Draft, layout: Layout) -> None:
    """Put the orphan's blocks before, after or between those of the article, where sentences and places fit best."""
    chain = draft.blocks
    options = [(_fit(orphan.blocks, chain, i, layout), -i) for i in range(len(chain) + 1)]
    at = -max(options)[1]
    draft.blocks = chain[:at] + orphan.blocks + chain[at:]


def _fit(blocks: list[Block], chain: list[Block], at: int, layout: Layout) -> float:
    score = 0.0
    if at > 0:
        score += max(-8.0, link_score(chain[at - 1], blocks[0], layout))
    if at < len(chain):
        score += max(-8.0, link_score(blocks[-1], chain[at], layout))
        if at > 0:
            score -= max(-8.0, link_score(chain[at - 1], chain[at], layout))
        lead = blocks[-1].y1 <= min(b.top for b in chain) + blocks[-1].size
        score += 6.0 if lead and at == 0 else 0.0
    return score


def _small_titles(drafts: list[Draft], parts: Parts) -> None:
    """A line taken for a subhead, or too small for a headline, is the title of a flow that has no other."""
    for draft in drafts:
        first = draft.blocks[0]
        if draft.headline is not None:
            continue
        small = first.heads or [
            s
            for s in parts.shorts
            if s.frame == first.frame
            and 5 <= len(s.text) <= 45
            and s.size >= first.size
            and -2 <= first.top - s.y1 <= 2.6 * first.size
            and s.x0 >= first.x0 - 2 * s.size
            and s.x1 <= max(b.x1 for b in draft.blocks) + 2 * s.size
        ]
        if small:
            draft.headline, draft.head_score = (
                Headline([line for s in small for line in s.lines], first.frame),
                1.0,
            )
            first.heads = []


def _split_for_unused(drafts: list[Draft], layout: Layout) -> list[Draft]:
    """Cut a flow at a weak link when a headline without text claims what follows."""
    used = {id(d.headline) for d in drafts}
    for headline in layout.headlines:
        if id(headline) in used or headline.size < 1.35 * layout.body:
            continue
        cuts = [
            (_head_score(headline, d.blocks[i:], layout), k, i)
            for k, d in enumerate(drafts)
            for i in range(1, len(d.blocks))
            if _weak(d.blocks[i - 1], d.blocks[i], layout)
        ]
        score, k, i = max(cuts, default=(0.0, 0, 0))
        if score >= 2.5:
            tail = drafts[k].blocks[i:]
            drafts.append(Draft(tail, headline, score, weakest=min(2.3, _weakest(tail, layout))))
            drafts[k].blocks = drafts[k].blocks[:i]
    return drafts


def _weak(a: Block, b: Block, layout: Layout) -> bool:
    runs_on = layout.ends[id(a)] is End.OPEN and layout.starts[id(b)] is Start.FLOWING
    return not runs_on and layout.uppers.get(id(b)) is not a and link_score(a, b, layout) < 3.5


def _nearest_headlines(drafts: list[Draft], layout: Layout) -> None:
    """Give flows without headline the unused one just above, though it stands over other columns that are empty."""
    used = {id(d.headline) for d in drafts}
    for draft in drafts:
        first = draft.blocks[0]
        if draft.headline is not None or len(draft.text) < 60 or id(first) in layout.covers:
            continue
        near = [
            h
            for h in layout.headlines
            if id(h) not in used
            and not h.vertical
            and h.frame == first.frame
            and -2 <= first.top - h.y1 <= 5 * layout.body
            and max(h.x0 - first.x1, first.x0 - h.x1) < 6 * layout.body
        ]
        if near:
            draft.headline, draft.head_score = min(near, key=lambda h: first.top - h.y1), 1.0
            used.add(id(draft.headline))


def _picture_stories(drafts: list[Draft], layout: Layout) -> list[Draft]:
    """Give a headline without text that stands beside a picture the short flow below that picture."""
    used = {id(d.headline) for d in drafts}
    stories = []
    for headline in layout.headlines:
        if id(headline) in used:
            continue
        pictures = [p for p in layout.pictures if _stands_by(headline, p, layout.body)]
        told = [
            d
            for d in drafts
            if d.headline is None
            and len(d.blocks) == 1
            and d.blocks[0].frame == headline.frame
            and any(_close_below(d.blocks[0], p, layout.body) for p in pictures)
        ]
        if told:
            told[0].headline, told[0].head_score, told[0].weakest = headline, 2.0, 3.0
            stories.append(told[0])
    return stories


def _stands_by(headline: Headline, picture: Frame, body: float) -> bool:
    across = max(picture.x0 - headline.x1, headline.x0 - picture.x1, 0.0)
    down = max(picture.y0 - headline.y1, headline.y0 - picture.y1, 0.0)
    if headline.vertical:
        tall = min(picture.y1, headline.y1) - max(picture.y0, headline.y0)
        return across <= 3.5 * body and tall >= 0.4 * (headline.y1 - headline.y0)
    return (
        down <= 3 * body
        and min(picture.x1, headline.x1) - max(picture.x0, headline.x0) > 0.5 * headline.width
    )


def _close_below(block: Block, picture: Frame, body: float) -> bool:
    overlap = min(block.x1, picture.x1) - max(block.x0, picture.x0)
    return -body <= block.top - picture.y1 <= 3 * body and overlap > 0.6 * block.width


def _caption_stories(drafts: list[Draft], parts: Parts, layout: Layout) -> list[Draft]:
    """A headline without text beside a picture's long caption is a story in a picture."""
    used = {id(d.headline) for d in drafts}
    stories, told = [], set()
    for headline in parts.headlines:
        if id(headline) in used:
            continue
        near = [
            (_distance(headline, c), k)
            for k, c in enumerate(parts.captions)
            if id(c) not in told
            and c.frame == headline.frame
            and len(c.text) >= 40
            and _tells(c, headline, layout)
        ]
        if near:
            caption = parts.captions[min(near)[1]]
            told.add(id(caption))
            stories.append(Draft([caption], headline, 2.0, weakest=3.0))
    return stories


def _tells(caption: Block, headline: Headline, layout: Layout) -> bool:
    close = _distance(headline, caption) <= (4 if headline.vertical else 3) * layout.body
    pictures = [p for p in layout.pictures if _close_below(caption, p, layout.body)]
    return close or any(_stands_by(headline, p, layout.body) for p in pictures)


def _distance(headline: Headline, block: Block) -> float:
    across = max(block.x0 - headline.x1, headline.x0 - block.x1, 0.0)
    down = max(block.y0 - headline.y1, headline.y0 - block.y1, 0.0)
    return across + down
