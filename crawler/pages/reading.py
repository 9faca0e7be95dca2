"""From bytes to articles: which page object reads which kind of page. No network, no database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from crawler.exceptions import PageError, PageNotUnderstood
from crawler.items import ArticleItem
from store.fetched import FetchedPage


def read_page(page: FetchedPage, now: datetime | None = None) -> list[ArticleItem]:
    """Return the articles of a page. Raises PageNotUnderstood or NotAnArticle, nothing else.

    `now` clamps dates in the future; without it they stay as the page gives them. PDFs are read in a child process with
    limits, everything else here.
    """
    items = _READ[page.reader](page, now)
    for position, item in enumerate(items):
        item.position = position if len(items) > 1 else 0
        item.page = page
    return items


def _portal(page: FetchedPage, now: datetime | None) -> list[ArticleItem]:
    from crawler.pages.portal import PortalArticlePage

    return PortalArticlePage(page.body, page.url, declared=page.declared_encoding, now=now).to_items()


def _epaper(page: FetchedPage, now: datetime | None) -> list[ArticleItem]:  # noqa: ARG001
    from crawler.pages.epaper import EpaperPage

    return EpaperPage(page.body, page.url, declared=page.declared_encoding).to_items()


def _pdf(page: FetchedPage, now: datetime | None) -> list[ArticleItem]:  # noqa: ARG001
    from crawler.pages.newspaper import read_limited

    return read_limited(page.body, page.url)


def _handin(page: FetchedPage, now: datetime | None) -> list[ArticleItem]:  # noqa: ARG001
    from crawler.pages.handins import read_parts

    return read_parts(page.url, page.body)[0]


def unread_parts(page: FetchedPage) -> list[tuple[FetchedPage, PageNotUnderstood]]:
    """Return the parts of a hand-in of several files that could not be read beside those that were, as pages of their own."""
    from crawler.pages.handins import open_handin, read_parts

    if page.reader != "handin":
        return []
    try:
        unread = read_parts(page.url, page.body)[1] if len(open_handin(page.url, page.body)) > 1 else []
    except PageError:
        return []
    return [
        (FetchedPage(f"{page.url}!{part.name}", "handin", part.body, page.fetched_at), error)
        for part, error in unread
    ]


#: By the word that says how a kept page is read; it is stored beside its bytes.
_READ: dict[str, Callable[[FetchedPage, datetime | None], list[ArticleItem]]] = {
    "portal": _portal,
    "epaper": _epaper,
    "pdf": _pdf,
    "handin": _handin,
}
