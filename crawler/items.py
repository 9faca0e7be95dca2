"""What pages produce: plain values that Scrapy accepts as items.

Times are ISO 8601 text with offset ("2022-07-08T10:27:00+08:00"), a bare day ("2022-07-08") where the page gives no
time, or None where it gives neither; they stay text here so that the precision a page really had is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from store.fetched import FetchedPage


@dataclass(slots=True)
class Link:
    """A link of a list page, feed, sitemap or newspaper page to one article.

    `updated_at` is when the list says that the article was last changed, where it says so beside the date of publication.
    """

    url: str
    title: str | None = None
    published_at: str | None = None
    summary: str | None = None
    updated_at: str | None = None


@dataclass(slots=True)
class Image:
    """An image inside an article; `caption` is plain text."""

    url: str
    caption: str | None = None


@dataclass(slots=True)
class ArticleItem:
    """One article as its page gives it, all text NFC and free of control characters.

    `publisher` is the original source (来源), never the site that shows it; several names of `author` and `editor` are
    joined by one space. `text` has one paragraph a line. `page_urls` are the further pages of the same article in
    order. `confidence` (0-1) is below 1 for articles cut out of a newspaper page; `flags` are words from
    `crawler.items.FLAGS`.
    """

    url: str
    title: str
    text: str
    kicker: str | None = None
    subtitle: str | None = None
    published_at: str | None = None
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    page_number: str | None = None
    page_name: str | None = None
    images: list[Image] = field(default_factory=list)
    page_urls: list[str] = field(default_factory=list)
    confidence: float = 1.0
    flags: list[str] = field(default_factory=list)
    source: str | None = None
    #: position of the article on its page (0 for pages with one article)
    position: int = 0
    #: the page it was read from, so that it can be read again; not part of what the article says
    page: FetchedPage | None = field(default=None, repr=False, compare=False)
    #: the further pages of an article over several, kept beside the first
    more_pages: list[FetchedPage] = field(default_factory=list, repr=False, compare=False)


@dataclass(slots=True)
class UnreadPage:
    """A page that gave no article: quarantined when `keep`, else only remembered with its reason."""

    url: str
    reason: str
    detail: str = ""
    keep: bool = False
    source: str | None = None
    page: FetchedPage | None = field(default=None, repr=False, compare=False)


#: What may be odd about an article; shown to the editor, never a reason to drop it.
FLAGS = frozenset(
    {
        "future_date",
        "unsure_cut",
        "unsure_title",
        "title_from_text",
        "no_title",
        "no_date",
        "short",
        "ocr",
        "continued",
    }
)
