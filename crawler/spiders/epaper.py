"""E-paper sites: the paper's address -> the issue of the day -> its pages -> their articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from scrapy.http import Response, TextResponse

from crawler.items import Link
from crawler.pages.epaper import EpaperPage, issue_urls
from crawler.spiders.base import Output, Walk
from store.articles import PAGE_ZONE


class EpaperWalk(Walk):
    """A PDF is fetched only for a page that has no articles of its own; an issue that is not out yet is no error."""

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_front)

    def read_front(self, response: Response) -> Iterator[Output]:
        """Follow the paper's address to the current issue, or read the page when it is one already."""
        page = self._page(response)
        issue = page.issue_url()
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
            yield from self._other_pages(page, response.url)
            yield from self._earlier(response.url)

    def _other_pages(self, page: EpaperPage, own: str) -> Iterator[Output]:
        for layout in page.layouts():
            if layout.url != own and layout.url not in self._asked:
                self._asked.add(layout.url)
                yield self.list_request(layout.url, self.read_layout, first=False)

    def _earlier(self, url: str) -> Iterator[Output]:
        if not self.source.back:
            return
        today = self.spider.context.now().astimezone(PAGE_ZONE).date()
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
        yield from self._other_pages(page, response.url)

    def _page(self, response: Response) -> EpaperPage:
        declared = response._declared_encoding() if isinstance(response, TextResponse) else None  # noqa: SLF001
        return EpaperPage(response.body, response.url, declared=declared)
