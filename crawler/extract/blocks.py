"""One newspaper page cut into its articles: lines, blocks, flows and headlines put together.

Stages, each a module of its own: characters (`pdf`) -> lines (`lines`) -> page furniture taken out (`furniture`) ->
blocks (`columns`) -> headlines, subheads, bylines, captions (`headlines`) -> what covers and parts them (`layout`) ->
links (`links`) -> flows (`chains`) -> flows under headlines (`drafts`) -> articles (here, `paragraphs`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from crawler.extract.columns import body_size, innermost_box, stack
from crawler.extract.drafts import Draft, drafts_of
from crawler.extract.furniture import (
    COMES_FROM,
    TURNS_TO,
    Masthead,
    authors_of,
    is_advert,
    is_label,
    is_notice,
    split_furniture,
)
from crawler.extract.headlines import part_blocks
from crawler.extract.layout import End, Layout, Start
from crawler.extract.lines import Line, lines_of
from crawler.extract.paragraphs import paragraphs_of
from crawler.extract.pdf import Frame, PdfPage

#: A text without headline is an article of its own only when it is as long as a short news item.
_LONE_TEXT = 160
_SHORTEST = 30
#: A label 广告 speaks for its box only up to this share of the page; larger boxes hold articles too.
_LARGEST_ADVERT = 0.55
#: The busiest real page measured has 150 blocks, 46 rules and 31 pictures; beyond these it is a table or an attack.
_MOST_BLOCKS, _MOST_RULES, _MOST_BOXES = 1200, 600, 200
_SURE_LINK = 2.2
#: Distances in points were set on pages whose running text has 7.8 to 10.5 points.
_USUAL_SIZES = (6.5, 13.0)


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


def cut_page(page: PdfPage) -> PageCut:
    """Return the articles of one page, top to bottom and left to right; pure and linear but for at most 400 blocks."""
    page = _in_usual_size(page)
    boxes, rules = _real_boxes(page), sorted(page.rules, key=_length, reverse=True)[:_MOST_RULES]
    lines = lines_of(page.chars, [*rules, *boxes])
    masthead, lines = split_furniture(page, lines)
    cut = PageCut(masthead)
    lines = _without_advert_boxes(lines, boxes, page, cut)
    boxes = _framing(boxes, lines)
    blocks = stack(lines, rules, boxes)
    if len(blocks) > _MOST_BLOCKS:
        blocks = sorted(blocks, key=lambda block: -len(block.text))[:_MOST_BLOCKS]
    pictures = sorted(page.pictures, key=_length, reverse=True)[:_MOST_BOXES]
    body = body_size(blocks)
    if not body:
        return cut
    parts = part_blocks(blocks, lines, body, (rules, boxes, pictures))
    layout = Layout(parts.texts, parts.headlines, rules, pictures, body)
    for draft in sorted(drafts_of(parts, layout), key=_reading_place):
        _finish(draft, layout, cut)
    return cut


def _in_usual_size(page: PdfPage) -> PdfPage:
    """Return the page as it would be with running text of nine points, when it was made much larger or smaller."""
    sizes = Counter(round(char.size, 1) for char in page.chars)
    size = sizes.most_common(1)[0][0] if sizes else 9.0
    if _USUAL_SIZES[0] <= size <= _USUAL_SIZES[1]:
        return page
    k = 9.0 / size
    chars = [
        c._replace(x0=k * c.x0, y0=k * c.y0, x1=k * c.x1, y1=k * c.y1, size=k * c.size) for c in page.chars
    ]
    scaled = PdfPage(
        page.number, k * page.width, k * page.height, chars, glyphs=page.glyphs, unmapped=page.unmapped
    )
    scaled.rules, scaled.boxes, scaled.pictures = (
        [Frame(*(k * side for side in frame)) for frame in frames]
        for frames in (page.rules, page.boxes, page.pictures)
    )
    return scaled


def _real_boxes(page: PdfPage) -> list[Frame]:
    whole = page.width * page.height
    real = [
        box
        for box in page.boxes
        if box.width > 40 and box.height > 24 and box.width * box.height < 0.8 * whole
    ]
    return sorted(set(real), key=_length, reverse=True)[:_MOST_BOXES]


def _length(frame: Frame) -> float:
    return frame.width + frame.height


def _without_advert_boxes(lines: list[Line], boxes: list[Frame], page: PdfPage, cut: PageCut) -> list[Line]:
    """Drop what stands in a box that sells something, the boxes within it too."""
    dropped: set[int] = set()
    for i, box in enumerate(boxes):
        inside = [line for line in lines if box.contains(*_middle(line))]
        if not inside or all(id(line) in dropped for line in inside):
            continue
        labels = [line for line in inside if is_label(line.text)]
        own = any(innermost_box(*_middle(line), boxes) == i for line in labels)
        small = box.width * box.height < _LARGEST_ADVERT * page.width * page.height
        if (own and small) or is_advert("".join(line.text for line in inside), boxed=True):
            cut.adverts += 1
            dropped.update(id(line) for line in inside)
    return [line for line in lines if id(line) not in dropped]


def _framing(boxes: list[Frame], lines: list[Line]) -> list[Frame]:
    """Return the boxes that hold articles: not a headline's ground, and not a tint under columns whose headline is above."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.chars)
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    kept = []
    for box in boxes:
        inside = [line for line in lines if box.contains(*_middle(line))]
        text = sum(len(line.chars) for line in inside if line.size < 1.3 * body)
        large = any(line.size >= 1.4 * body and len(line.chars) > 2 for line in inside)
        headed = any(
            line.size >= 1.45 * body
            and -4 <= box.y0 - line.y1 <= 4 * body
            and min(line.x1, box.x1) - max(line.x0, box.x0) > 0.5 * line.width
            for line in lines
        )
        if text >= 60 and (large or not headed):
            kept.append(box)
    return kept


def _middle(line: Line) -> tuple[float, float]:
    return (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2


# --- articles ---------------------------------------------------------------------------------------------------------


def _reading_place(draft: Draft) -> tuple[float, float]:
    x0, y0, _, _ = draft.bounds
    return (round(y0 / 30), x0)


def _finish(draft: Draft, layout: Layout, cut: PageCut) -> None:
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


def _authors(draft: Draft) -> list[str]:
    sources = [draft.headline.byline if draft.headline else "", *(b.byline for b in draft.blocks)]
    sources += [draft.blocks[0].lines[0].spaced + "".join(line.spaced for line in draft.blocks[0].lines[1:5])]
    sources[-1] = (
        sources[-1][:90] if re.match(r"[（(]?本报|.{0,12}(?:讯|电)|.{0,16}记者", sources[-1]) else ""
    )
    sources += [*(b.signature for b in draft.blocks), draft.blocks[-1].lines[-1].spaced]
    names: list[str] = []
    for source in sources:
        names += authors_of(source)
        if names:
            break
    return list(dict.fromkeys(names))


def _turns(article: CutArticle) -> None:
    last = article.paragraphs[-1]
    if match := TURNS_TO.search(last):
        article.goes_to = match[1]
        article.paragraphs[-1] = last[: match.start()].rstrip()
    for place, text in (
        ("title", article.title),
        ("kicker", article.kicker),
        ("first", article.paragraphs[0]),
    ):
        if match := COMES_FROM.search(text[:40]):
            article.comes_from = match[1]
            rest = (text[: match.start()] + text[match.end() :]).strip()
            if place == "first":
                article.paragraphs[0] = rest
            else:
                setattr(article, place, rest)
            break
    article.paragraphs = [p for p in article.paragraphs if p]


def _judge(article: CutArticle, draft: Draft, layout: Layout) -> None:
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
