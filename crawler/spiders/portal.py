"""Column and channel pages of news sites and the lists of government CMSs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrapy.http import Response

from crawler.pages.lists import PortalListPage
from crawler.spiders.walk import Output, Walk, declared_encoding


class PortalWalk(Walk):
    """List pages -> articles; paging goes on while a page still brings news."""

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_list, depth=1)

    def read_list(self, response: Response, depth: int) -> Iterator[Output]:
        """Yield requests for unread articles and, when there were any, for the next list page."""
        declared = declared_encoding(response)
        page = PortalListPage(response.body, response.url, declared=declared)
        requests = list(self.article_requests(page.links()))
        yield from requests
        more = page.next_page()
        if requests and more and depth < self.source.pages and more not in self._asked:
            self._asked.add(more)
            yield self.list_request(more, self.read_list, conditional=False, depth=depth + 1)
