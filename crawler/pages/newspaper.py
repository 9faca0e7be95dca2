"""Page PDFs of newspapers: one item per article, with the page it was cut from."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.allowance import more_time
from crawler.extract.blocks import CutArticle, PageCut, cut_page
from crawler.extract.pdf import PdfPage, read_pages
from crawler.items import ArticleItem
from store.text import clean_line, clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A page with more glyphs without Unicode than this, or fewer Chinese ones than that, is rubbish in every reader.
_MAX_UNMAPPED, _MIN_CHINESE = 0.20, 0.30
#: The commonest characters make up 20-30 % of any Chinese news text; wrong maps give 2-5 %.
_MIN_COMMON = 0.08
_COMMON = frozenset(
    "的一国在人了有中是年和大业不为发会工经上地市要个产这出行作生家以成到日民来我部对进多全建他公开们场展时理新方主企资"
)
#: Fewer glyphs are a page number or a watermark on a picture.
_FEW = 30
_TITLE_FROM_TEXT = 28
#: The slowest page measured takes 1.2 s on a slow core; an issue has up to 32 pages.
SECONDS, IN_ALL = 10.0, 90.0
_REMEDY = "; pictures of text are read by `parknews article ocr` (it needs: pip install 'parknews[ocr]')"


class NewspaperPdf:
    """A PDF of one or several newspaper pages. `url` is where it came from."""

    def __init__(self, body: bytes, url: str = "") -> None:
        self.body = body
        self.url = url

    def to_items(self) -> list[ArticleItem]:
        """Return the articles of the first 32 pages, `position` counting through the file.

        Articles that turn to another page of the file (下转, 上接) come as one. Articles of a file with more pages are
        flagged unsure_cut. Raises PageNotUnderstood("bad_pdf" | "encrypted" | "bad_unicode" | "scanned" |
        "too_large") and NotAnArticle("notice" | "advert" | "picture_only" | "empty").
        """
        pages, count = read_pages(self.body)
        items = self.items_of(pages)
        if count > len(pages):
            for item in items:
                item.flags = sorted({*item.flags, "unsure_cut"})
        return items

    def items_of(self, pages: Sequence[PdfPage]) -> list[ArticleItem]:
        """Return the articles of pages that were read already; raises as `to_items` does."""
        cuts = []
        for page in readable_pages(pages):
            more_time()
            cuts.append(cut_page(page))
        found = join_turns([(cut, article) for cut in cuts for article in cut.articles])
        if not found:
            raise NotAnArticle(_why_nothing(cuts))
        return [self._item(cut, article, position) for position, (cut, article) in enumerate(found)]

    def _item(self, cut: PageCut, article: CutArticle, position: int) -> ArticleItem:
        masthead, flags = cut.masthead, [*article.flags]
        title = clean_line(article.title)
        if not title:
            title = _title_from(article.paragraphs)
            flags.append("title_from_text")
        if article.goes_to or article.comes_from:
            flags.append("continued")
        if not masthead.date:
            flags.append("no_date")
        return ArticleItem(
            url=self.url,
            title=title,
            text=clean_text(article.text),
            kicker=clean_line(article.kicker) or None,
            subtitle=clean_line(article.subtitle) or None,
            published_at=masthead.date,
            publisher=masthead.paper,
            author=" ".join(article.authors) or None,
            page_number=masthead.page_number,
            page_name=masthead.page_name,
            confidence=article.confidence,
            flags=flags,
            position=position,
        )


def read_limited(body: bytes, url: str) -> list[ArticleItem]:
    """Return the articles of a PDF read in a child process: SECONDS for each page, IN_ALL for a whole issue.

    Raises as `NewspaperPdf.to_items` and `run_limited` do.
    """
    from crawler.pages.limits import run_limited

    return run_limited("crawler.pages.newspaper:read_pdf", body, url, seconds=SECONDS, in_all=IN_ALL)


def read_pdf(body: bytes, url: str) -> list[ArticleItem]:
    """Return `NewspaperPdf(body, url).to_items()`: the form `run_limited` calls."""
    return NewspaperPdf(body, url).to_items()


def readable_pages(pages: Sequence[PdfPage]) -> list[PdfPage]:
    """Return the pages with usable Chinese text; raise what is wrong with the worst when there is none."""
    readable, wrong = [], []
    for page in pages:
        problem = _problem(page)
        if problem:
            wrong.append((problem, page.number))
        else:
            readable.append(page)
    if not readable:
        reason, number = next((w for w in wrong if w[0] != "empty"), ("empty", 0))
        if reason == "empty":
            raise NotAnArticle("empty")
        raise PageNotUnderstood(reason, f"page {number + 1}{_REMEDY if reason == 'scanned' else ''}")
    return readable


def _problem(page: PdfPage) -> str | None:
    if page.glyphs < _FEW:
        return "scanned" if page.pictures else "empty"
    if page.unmapped > _MAX_UNMAPPED * page.glyphs:
        return "bad_unicode"
    letters = Counter(char.text for char in page.chars)
    chinese = sum(n for letter, n in letters.items() if "\u3400" <= letter <= "\u9fff")
    if chinese < _MIN_CHINESE * sum(letters.values()):
        return "bad_unicode"
    common = sum(n for letter, n in letters.items() if letter in _COMMON)
    return "bad_unicode" if chinese > 300 and common < _MIN_COMMON * chinese else None


def _why_nothing(cuts: list[PageCut]) -> str:
    if any(cut.notices for cut in cuts):
        return "notice"
    return "advert" if any(cut.adverts for cut in cuts) else "picture_only"


def _title_from(paragraphs: list[str]) -> str:
    """Return the first sentence, cut at a comma when it is long."""
    first = re.split(r"[。！？；]", paragraphs[0], maxsplit=1)[0]
    if len(first) > _TITLE_FROM_TEXT:
        first = first[:_TITLE_FROM_TEXT]
        comma = first.rfind("，")
        first = first[:comma] if comma >= 8 else first
    return clean_line(first)


# --- turns ------------------------------------------------------------------------------------------------------------


def join_turns(found: list[tuple[PageCut, CutArticle]]) -> list[tuple[PageCut, CutArticle]]:
    """Return the articles with those that go on elsewhere in the file (下转 … 上接 …) joined to one."""
    tails = [(cut, article) for cut, article in found if article.comes_from]
    joined: set[int] = set()
    for cut, article in found:
        if not article.goes_to:
            continue
        tail = _tail_of(cut, article, [t for t in tails if id(t[1]) not in joined and t[1] is not article])
        if tail is not None:
            _append(article, tail)
            joined.add(id(tail))
    return [(cut, article) for cut, article in found if id(article) not in joined]


def _tail_of(cut: PageCut, article: CutArticle, tails: list[tuple[PageCut, CutArticle]]) -> CutArticle | None:
    """The continuation stands on the page named, comes from this page, and has a title of the same letters."""
    here = cut.masthead.page_number
    found: CutArticle | None = None
    best = 0.6
    for other, tail in tails:
        if other is cut:
            continue
        there = other.masthead.page_number
        score = 0.4 * _same_page(there, article.goes_to) + 0.4 * _same_page(here, tail.comes_from)
        score += _shared(article.title + article.kicker, tail.title + tail.kicker)
        if score > best:
            best, found = score, tail
    return found


def _same_page(a: str | None, b: str | None) -> bool:
    return bool(a and b and a.lstrip("0") == b.lstrip("0"))


def _shared(a: str, b: str) -> float:
    pairs_a, pairs_b = ({t[i : i + 2] for i in range(len(t) - 1)} for t in (a, b))
    return len(pairs_a & pairs_b) / max(1, min(len(pairs_a), len(pairs_b)))


def _append(article: CutArticle, tail: CutArticle) -> None:
    unfinished = article.paragraphs and article.paragraphs[-1][-1:] not in "。！？”…"
    if unfinished and tail.paragraphs:
        article.paragraphs[-1] += tail.paragraphs[0]
        article.paragraphs += tail.paragraphs[1:]
    else:
        article.paragraphs += tail.paragraphs
    article.confidence = min(article.confidence, tail.confidence)
    article.flags = sorted({*article.flags, *tail.flags} - {"unsure_title"})
    article.authors = article.authors or tail.authors
    article.goes_to = article.comes_from = None
