"""Articles over several pages: each page fetched once, joined in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import scrapy
from scrapy.http import Response

from crawler.exceptions import PageError
from crawler.items import ArticleItem, UnreadPage
from crawler.pages.reading import read_page
from crawler.referer import referer, shown
from crawler.tally import Tally
from store.fetched import FetchedPage

#: Longer chains are calendars or traps; the longest real article seen has 12 pages.
MAX_PARTS = 20
Output = scrapy.Request | ArticleItem | UnreadPage


class Pager(Protocol):
    """What following an article's pages needs of the walk it happens in."""

    source: Any
    spider: Any
    tally: Tally

    def wants(self, url: str) -> bool: ...
    def fetched(self, response: Response, reader: str) -> FetchedPage: ...
    def failed(self, failure: Any) -> Iterator[Output]: ...


def next_part(walk: Pager, parts: list[ArticleItem], asked: set[str]) -> Output:
    """Return the request for the next page of the article, or the whole article when there is none."""
    asked |= {part.page.url for part in parts if part.page}
    waiting = [url for part in parts for url in part.page_urls if url not in asked]
    if not waiting or len(parts) >= MAX_PARTS or not walk.wants(waiting[0]):
        return _joined(parts)
    asked.add(waiting[0])
    meta: dict[str, Any] = {"source": walk.source.name, "asked_url": waiting[0]}
    last = parts[-1].page
    headers = referer(shown(last.url), waiting[0]) if last else {}

    def read(response: Response) -> Iterator[Output]:
        walk.tally.pages += 1
        try:
            more = read_page(walk.fetched(response, "portal"), walk.spider.context.now())
        except PageError as error:
            walk.tally.reasons[error.reason] += 1
            yield _joined(parts)
            return
        yield next_part(walk, [*parts, *more[:1]], asked)

    def failed(failure: Any) -> Iterator[Output]:
        list(walk.failed(failure))
        yield _joined(parts)

    return scrapy.Request(
        waiting[0], read, errback=failed, headers=headers, meta=meta, dont_filter=True, priority=5
    )


def _joined(parts: list[ArticleItem]) -> ArticleItem:
    if len(parts) == 1:
        return parts[0]
    from crawler.pages.portal import join_pages

    whole = join_pages(parts)
    whole.source, whole.page, whole.position = parts[0].source, parts[0].page, parts[0].position
    whole.more_pages = [part.page for part in parts[1:] if part.page]
    return whole
