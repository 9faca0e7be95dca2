"""E-paper sites: the paper's address -> the issue of the day -> its pages -> their articles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import scrapy
from scrapy.http import Response, TextResponse

from crawler.items import ArticleItem, Link, UnreadPage
from crawler.pages.epaper import EpaperPage, issue_urls
from crawler.pages.epapers.json_reader import is_reader_address, post_form
from crawler.pages.epapers.turns import Part, join_parts, part_of
from crawler.spiders.base import Output, SourceSpider, Walk
from store.articles import PAGE_ZONE


class EpaperWalk(Walk):
    """A PDF is fetched only for a page that has no articles of its own; an issue that is not out yet is no error.

    Articles that turn to another page (下转, 上接) are held back until nothing is waited for any more, and joined then. A
    visit that is cut short before has not kept them: the next one fetches them again.
    """

    def __init__(self, spider: SourceSpider, source: Any) -> None:
        super().__init__(spider, source)
        self._open = 0
        self._parts: list[Part] = []

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_front)

    def read_front(self, response: Response) -> Iterator[Output]:
        """Follow the paper's address to the current issue, or read the page when it is one already."""
        page = self._page(response)
        issue = page.issue_url(self._today())
        if page.role() == "front" and issue and issue not in self._asked:
            self._asked.add(issue)
            yield self.list_request(issue, self.read_layout, first=True)
            return
        yield from self.read_layout(response, first=True)

    def read_layout(self, response: Response, *, first: bool) -> Iterator[Output]:
        """Yield the articles of one newspaper page; from the first one also the other pages and, once, earlier issues."""
        page = self._page(response)
        links = page.links()
        yield from self.article_requests(links, "epaper")
        pdf = page.pdf_url()
        if not links and pdf:
            yield from self.article_requests([Link(pdf)], "pdf")
        if first:
            yield from self._other_pages(page, page.url)
            yield from self._earlier(page.url)

    def _other_pages(self, page: EpaperPage, own: str) -> Iterator[Output]:
        for layout in page.layouts():
            if layout.url != own and layout.url not in self._asked:
                self._asked.add(layout.url)
                yield self.list_request(layout.url, self.read_layout, first=False)

    def _earlier(self, url: str) -> Iterator[Output]:
        if not self.source.back:
            return
        today = self._today()
        for _, earlier in issue_urls(
            url, today - timedelta(days=self.source.back), today - timedelta(days=1)
        ):
            if earlier != url and earlier not in self._asked:
                self._asked.add(earlier)
                yield self.list_request(earlier, self.read_earlier)

    def read_earlier(self, response: Response) -> Iterator[Output]:
        """Yield the pages and articles of an earlier day's issue."""
        page = self._page(response)
        yield from self.article_requests(page.links(), "epaper")
        yield from self._other_pages(page, page.url)

    def list_request(self, url: str, callback: Callable[..., Any], **kwargs: Any) -> scrapy.Request:
        """Ask for a page of the paper, by POST where its reader wants that."""
        return self._awaited(_posted(super().list_request(url, callback, **kwargs)))

    def article_request(self, link: Link, reader: str) -> scrapy.Request:
        """Ask for an article, by POST where the paper's reader wants that."""
        return self._awaited(_posted(super().article_request(link, reader)))

    def complete(self, item: ArticleItem) -> Iterator[Output]:
        """Hold back what turns to another page; yield everything else."""
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
        declared = response._declared_encoding() if isinstance(response, TextResponse) else None  # noqa: SLF001
        asked = response.meta["asked_url"]
        return EpaperPage(
            response.body, asked if is_reader_address(asked) else response.url, declared=declared
        )


def _posted(request: scrapy.Request) -> scrapy.Request:
    """Return the request as a POST of its own query when it goes to a JSON reader, else as it is."""
    if not is_reader_address(request.url):
        return request
    address, form = post_form(request.url)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return request.replace(url=address, method="POST", body=urlencode(form), headers=headers)
