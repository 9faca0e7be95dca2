"""One newspaper page cut into its articles: lines, blocks, flows and headlines put together.

Stages, each a module of its own: characters (`pdf`) -> lines (`lines`) -> page furniture taken out (`furniture`) ->
blocks (`columns`) -> headlines, subheads, bylines, captions (`headlines`) -> flows (`chains`) -> articles (here).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from crawler.extract.chains import End, Layout, Start, chains_of, link_score
from crawler.extract.columns import Block, body_size, innermost_box, stack
from crawler.extract.furniture import (
    Masthead,
    authors_of,
    is_advert,
    is_label,
    is_notice,
    split_furniture,
)
from crawler.extract.headlines import Headline, Parts, part_blocks
from crawler.extract.lines import Line, lines_of

if TYPE_CHECKING:
    from crawler.extract.pdf import Frame, PdfPage

#: A text without headline is an article of its own only when it is as long as a short news item.
_LONE_TEXT = 160
_SHORTEST = 30
_SURE_LINK = 2.2
_TURN = re.compile(r"[（(【\[]?(?:下转|紧接|转)第?\s*([A-Z]?\d{1,3}[A-Z]?)\s*版[^）)】\]。]{0,14}[）)】\]]?$")
_FROM = re.compile(r"[（(【\[]?(?:上接|接)第?\s*([A-Z]?\d{1,3}[A-Z]?)\s*版[^）)】\]。]{0,14}[）)】\]]?")


@dataclass
class CutArticle:
    """An article as it was cut; `paragraphs` in reading order, `confidence` 0-1."""

    title: str
    paragraphs: list[str]
    kicker: str = ""
    subtitle: str = ""
    authors: list[str] = field(default_factory=list)
    confidence: float = 1.0
    flags: list[str] = field(default_factory=list)
    #: page number the text goes on to (下转) or comes from (上接)
    goes_to: str | None = None
    comes_from: str | None = None
    place: tuple[float, float] = (0.0, 0.0)

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


@dataclass
class PageCut:
    """What a page holds: its articles and how many notices and adverts were left out."""

    masthead: Masthead
    articles: list[CutArticle] = field(default_factory=list)
    notices: int = 0
    adverts: int = 0


@dataclass
class _Draft:
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


def cut_page(page: PdfPage) -> PageCut:
    """Return the articles of one page, top to bottom and left to right; pure and linear but for at most 400 blocks."""
    boxes = _real_boxes(page)
    lines = lines_of(page.chars, [*page.rules, *boxes])
    masthead, lines = split_furniture(page, lines)
    cut = PageCut(masthead)
    lines = _without_advert_boxes(lines, boxes, cut)
    blocks = stack(lines, page.rules, boxes)
    body = body_size(blocks)
    if not body:
        return cut
    parts = part_blocks(blocks, lines, body, (page.rules, boxes, page.pictures))
    layout = Layout(parts.texts, parts.headlines, page.rules, page.pictures, body)
    drafts = _head_chains(chains_of(layout), layout)
    drafts = _join_orphans(drafts, layout)
    drafts += _photo_stories(drafts, parts, body)
    for draft in sorted(drafts, key=_reading_place):
        _finish(draft, layout, cut)
    return cut


def _real_boxes(page: PdfPage) -> list[Frame]:
    whole = page.width * page.height
    return [
        box
        for box in page.boxes
        if box.width > 40 and box.height > 24 and box.width * box.height < 0.8 * whole
    ]


def _without_advert_boxes(lines: list[Line], boxes: list[Frame], cut: PageCut) -> list[Line]:
    """Drop what stands in a box that sells something."""
    inside: dict[int, list[Line]] = {}
    for line in lines:
        home = innermost_box((line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2, boxes)
        inside.setdefault(home, []).append(line)
    kept = inside.pop(-1, [])
    for members in inside.values():
        text = "".join(line.text for line in members)
        if is_advert(text, boxed=True, labelled=any(is_label(line.text) for line in members)):
            cut.adverts += 1
        else:
            kept += members
    return kept


# --- headlines to flows -----------------------------------------------------------------------------------------------


def _head_chains(chains: list[list[Block]], layout: Layout) -> list[_Draft]:
    """Give every flow the headline that speaks most for it; a headline serves one flow."""
    drafts = [_Draft(chain, weakest=_weakest(chain, layout)) for chain in chains]
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


def _join_orphans(drafts: list[_Draft], layout: Layout) -> list[_Draft]:
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


def _orphan_score(orphan: _Draft, draft: _Draft, layout: Layout) -> float:
    first, head = orphan.blocks[0], draft.headline
    if head is None or first.frame != draft.blocks[0].frame:
        return 0.0
    score = 0.0
    if any(layout.covers.get(id(b)) is head for b in orphan.blocks):
        score += 2.0
    if _is_lead_above(orphan, draft, layout):
        score += 2.0
    link = max(
        link_score(draft.blocks[-1], first, layout), link_score(orphan.blocks[-1], draft.blocks[0], layout)
    )
    score += min(1.5, max(0.0, 0.5 * link + 0.5))
    score += 1.2 * _inside(orphan, draft)
    if layout.starts[id(first)] is Start.ARTICLE:
        score -= 2.0
    if len(orphan.text) < 20:
        score -= 0.5
    return score


def _is_lead_above(orphan: _Draft, draft: _Draft, layout: Layout) -> bool:
    """A short text over a headline, nothing between, is the article's lead."""
    head = draft.headline
    if (
        head is None
        or head.vertical
        or len(orphan.blocks) > 2
        or any(id(b) in layout.covers for b in orphan.blocks)
    ):
        return False
    x0, _, x1, y1 = orphan.bounds
    gap = head.y0 - y1
    overlap = min(x1, head.x1) - max(x0, head.x0)
    return -2 <= gap <= 8 * layout.body and overlap > 0.4 * min(x1 - x0, head.width)


def _inside(orphan: _Draft, draft: _Draft) -> float:
    """Return the share of the orphan's blocks whose middle lies within the article's bounds."""
    x0, y0, x1, y1 = draft.bounds
    middles = [((b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2) for b in orphan.blocks]
    return sum(x0 <= x <= x1 and y0 <= y <= y1 for x, y in middles) / len(middles)


def _insert(orphan: _Draft, draft: _Draft, layout: Layout) -> None:
    """Put the orphan's blocks before, after or between those of the article, where sentences and places fit best."""
    chain = draft.blocks
    if _is_lead_above(orphan, draft, layout):
        draft.blocks = orphan.blocks + chain
        return
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


def _photo_stories(drafts: list[_Draft], parts: Parts, body: float) -> list[_Draft]:
    """A headline without text beside a picture's long caption is a story in a picture."""
    used = {id(d.headline) for d in drafts}
    stories, told = [], set()
    for headline in parts.headlines:
        if id(headline) in used:
            continue
        near = [
            c
            for c in parts.captions
            if id(c) not in told
            and c.frame == headline.frame
            and len(c.text) >= 40
            and _distance(headline, c) <= (4 if headline.vertical else 3) * body
        ]
        if near:
            caption = min(near, key=lambda c: _distance(headline, c))
            told.add(id(caption))
            stories.append(_Draft([caption], headline, 2.0, weakest=3.0))
    return stories


def _distance(headline: Headline, block: Block) -> float:
    across = max(block.x0 - headline.x1, headline.x0 - block.x1, 0.0)
    down = max(block.y0 - headline.y1, headline.y0 - block.y1, 0.0)
    return across + down


# --- articles ---------------------------------------------------------------------------------------------------------


def _reading_place(draft: _Draft) -> tuple[float, float]:
    x0, y0, _, _ = draft.bounds
    return (round(y0 / 30), x0)


def _finish(draft: _Draft, layout: Layout, cut: PageCut) -> None:
    head, text = draft.headline, draft.text
    title = head.title if head else ""
    if is_advert(text + title) and len(text) < 1500:
        cut.adverts += 1
        return
    if is_notice(title, text):
        cut.notices += 1
        return
    if len(text) < _SHORTEST or (head is None and (len(text) < _LONE_TEXT or text.count("。") < 3)):
        return
    article = CutArticle(title, paragraphs_of(draft.blocks), place=(draft.bounds[1], draft.bounds[0]))
    if head:
        article.kicker, article.subtitle = head.kicker, head.subtitle
    article.authors = _authors(draft)
    _turns(article)
    _judge(article, draft, layout)
    cut.articles.append(article)


def paragraphs_of(blocks: list[Block]) -> list[str]:
    """Return the paragraphs of blocks in reading order; subheads are paragraphs of their own."""
    found: list[str] = []
    fresh = True
    for block in blocks:
        for head in block.heads:
            found.append(head.text)
            fresh = True
        for i, line in enumerate(block.lines):
            if fresh or block.is_indented(i) or _after_short_line(block, i):
                found.append(line.text)
            else:
                found[-1] = _joined(found[-1], line.text)
            fresh = False
    return [p for p in found if p]


def _after_short_line(block: Block, i: int) -> bool:
    return i > 0 and block.is_short(i - 1) and block.lines[i - 1].text[-1] in "。！？”…"


def _joined(a: str, b: str) -> str:
    latin = a[-1].isascii() and a[-1].isalpha() and b[0].isascii() and b[0].isalpha()
    return f"{a} {b}" if latin else a + b


def _authors(draft: _Draft) -> list[str]:
    sources = [draft.headline.byline if draft.headline else "", *(b.byline for b in draft.blocks)]
    sources += [draft.blocks[0].lines[0].spaced + "".join(line.spaced for line in draft.blocks[0].lines[1:5])]
    sources[-1] = (
        sources[-1][:90] if re.match(r"[（(]?本报|.{0,12}(?:讯|电)|.{0,16}记者", sources[-1]) else ""
    )
    sources.append(draft.blocks[-1].lines[-1].spaced)
    names: list[str] = []
    for source in sources:
        names += authors_of(source)
        if names:
            break
    return list(dict.fromkeys(names))


def _turns(article: CutArticle) -> None:
    last = article.paragraphs[-1]
    if match := _TURN.search(last):
        article.goes_to = match[1]
        article.paragraphs[-1] = last[: match.start()].rstrip()
    for place, text in (
        ("title", article.title),
        ("kicker", article.kicker),
        ("first", article.paragraphs[0]),
    ):
        if match := _FROM.search(text[:40]):
            article.comes_from = match[1]
            rest = (text[: match.start()] + text[match.end() :]).strip()
            if place == "first":
                article.paragraphs[0] = rest
            else:
                setattr(article, place, rest)
            break
    article.paragraphs = [p for p in article.paragraphs if p]


def _judge(article: CutArticle, draft: _Draft, layout: Layout) -> None:
    """Set confidence and flags from the weakest link, the headline's fit and unfinished ends."""
    cut = min(1.0, 0.55 + 0.1 * max(0.0, draft.weakest))
    broken = layout.ends.get(id(draft.blocks[-1])) is End.OPEN and not article.goes_to
    broken |= layout.starts.get(id(draft.blocks[0])) is Start.FLOWING and not article.comes_from
    if broken:
        cut -= 0.25
    headed = min(1.0, 0.6 + 0.1 * draft.head_score) if draft.headline else 0.3
    article.confidence = round(max(0.05, min(cut, headed, 0.98)), 2)
    if broken or draft.weakest < _SURE_LINK:
        article.flags.append("unsure_cut")
    if draft.headline is None or draft.head_score < 1.8:
        article.flags.append("unsure_title")
