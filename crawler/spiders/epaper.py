"""E-paper sites: the paper's address -> the issue of the day -> its pages -> their articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.failures import reason_of
from crawler.items import ArticleItem, Link, UnreadPage
from crawler.pages.epaper import EpaperPage, issue_urls
from crawler.pages.epapers.addresses import day_of, is_article
from crawler.pages.epapers.json_reader import is_reader_address, post_form
from crawler.pages.epapers.turns import Part, join_parts, part_of
from crawler.spiders.walk import Output, Visitor, Walk, declared_encoding
from store.articles import PAGE_ZONE

#: So many pages may lead from one to the next; a real issue shows all of its pages on each.
_MOST_STEPS = 8
_NOT_THERE = frozenset({"http_404", "http_410"})


class EpaperWalk(Walk):
    """A PDF is fetched only for a page that has no articles of its own; an issue that is not out yet is no error.

    Articles that turn to another page (下转, 上接) are held back until nothing is waited for any more, and joined then. A
    visit that is cut short before has not kept them: the next one fetches them again.
    """

    def __init__(self, spider: Visitor, source: Any) -> None:
        super().__init__(spider, source)
        self._open = 0
        self._parts: list[Part] = []
        self._looked_back = False
        self._guessed: set[str] = set()
        self._places: dict[str, tuple[str | None, str | None]] = {}

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_front)

    def read_front(self, response: Response) -> Iterator[Output]:
        """Follow the paper's address to the current issue, or read the page when it is one already."""
        page = self._page(response)
        issue = page.issue_url(self._today())
        if page.role() == "front" and issue and issue not in self._asked:
            self._asked.add(issue)
            yield self.list_request(issue, self.read_layout)
            return
        yield from self.read_layout(response)

    def read_layout(self, response: Response, steps: int = 0) -> Iterator[Output]:
        """Yield the articles of one newspaper page, the issue's pages not asked for yet and, once, earlier issues.

        `steps` counts the pages that led to this one.
        """
        page = self._page(response)
        links = page.links()
        if not links and not page.layouts() and self._may_be_missing(page.url):
            self.tally.no_issue += 1
        self._places.update(dict.fromkeys((link.url for link in links), page.place()))
        yield from self.article_requests(links, "epaper")
        pdf = page.pdf_url()
        if not links and pdf and not page.is_of_adverts():
            yield from self.article_requests([Link(pdf)], "pdf")
        if steps < _MOST_STEPS:
            yield from self._other_pages(page, steps + 1)
        yield from self._earlier(page.url)

    def _other_pages(self, page: EpaperPage, steps: int) -> Iterator[Output]:
        for layout in _current(page.layouts(), page.url):
            if layout.url != page.url and layout.url not in self._asked:
                self._asked.add(layout.url)
                yield self.list_request(layout.url, self.read_layout, steps=steps)

    def _earlier(self, url: str) -> Iterator[Output]:
        """Ask once for the issues of the days before today, by the address of the first page that has its day in it."""
        if not self.source.back or self._looked_back or day_of(url) is None:
            return
        self._looked_back = True
        today = self._today()
        first, last = today - timedelta(days=self.source.back), today - timedelta(days=1)
        for _, earlier in issue_urls(url, first, last):
            if earlier != url and earlier not in self._asked:
                self._asked.add(earlier)
                self._guessed.add(earlier)
                yield self.list_request(earlier, self.read_layout)

    def failed(self, failure: Failure) -> Iterator[Output]:
        """Count a request that gave nothing; an issue that is not out, or a day without one, is no fault."""
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        if reason_of(failure)[0] in _NOT_THERE and self._may_be_missing(request.url):
            self.tally.no_issue += 1
            self.tally.reasons["no_issue"] += 1
            return
        yield from super().failed(failure)

    def _may_be_missing(self, url: str) -> bool:
        """Return whether nobody promised a newspaper page: it is one of today's or later, or of a day that was only reckoned."""
        if url in self._guessed:
            return True
        day = day_of(url)
        return day is not None and day >= self._today() and not is_article(url)

    def list_request(self, url: str, callback: Callable[..., Any], **kwargs: Any) -> scrapy.Request:
        """Ask for a page of the paper, by POST where its reader wants that."""
        conditional = not is_reader_address(url)
        return self._awaited(_posted(super().list_request(url, callback, conditional=conditional, **kwargs)))

    def article_request(self, link: Link, reader: str) -> scrapy.Request:
        """Ask for an article, by POST where the paper's reader wants that."""
        return self._awaited(_posted(super().article_request(link, reader)))

    def complete(self, item: ArticleItem) -> Iterator[Output]:
        """Hold back what turns to another page; yield everything else. Where an article says no page, its list does."""
        number, name = self._places.get(item.url, (None, None))
        if item.page_number is None and number:
            item.page_number, item.page_name = number, item.page_name or name
        part = part_of(item) if item.page and item.page.reader == "epaper" else None
        if part is None:
            yield from super().complete(item)
        else:
            self._parts.append(part)

    def _awaited(self, request: scrapy.Request) -> scrapy.Request:
        """Count the request as open until it is answered or has failed; it is never dropped as asked for before."""
        self._open += 1
        return request.replace(
            callback=self._closing(request.callback),
            errback=self._closing(request.errback),
            dont_filter=True,
        )

    def _closing(self, callback: Any) -> Callable[..., Iterator[Output]]:
        def answered(answer: Any, **kwargs: Any) -> Iterator[Output]:
            try:
                yield from callback(answer, **kwargs)
            finally:
                self._open -= 1
            if not self._open:
                yield from self._joined()

        return answered

    def _joined(self) -> Iterator[Output]:
        parts, self._parts = self._parts, []
        for whole, continuations in join_parts(parts):
            yield whole
            for other in continuations:
                yield UnreadPage(other.url, "continued", f"joined to {whole.url}", source=self.source.name)

    def _today(self) -> date:
        return self.spider.context.now().astimezone(PAGE_ZONE).date()

    def _page(self, response: Response) -> EpaperPage:
        declared = declared_encoding(response)
        asked = response.meta["asked_url"]
        return EpaperPage(
            response.body, asked if is_reader_address(asked) else response.url, declared=declared
        )


def _current(layouts: list[Link], url: str) -> list[Link]:
    """Return the newspaper pages; of those on a front page that belongs to no day only the latest day's."""
    days = {day for layout in layouts if (day := day_of(layout.url))}
    if day_of(url) or not days:
        return layouts
    return [layout for layout in layouts if day_of(layout.url) in {None, max(days)}]


def _posted(request: scrapy.Request) -> scrapy.Request:
    """Return the request as a POST of its own query when it goes to a JSON reader, else as it is."""
    if not is_reader_address(request.url):
        return request
    address, form = post_form(request.url)
    posted = request.replace(url=address, method="POST", body=urlencode(form))
    posted.headers["Content-Type"] = "application/x-www-form-urlencoded"
    return posted
