"""Feeds: RSS, Atom, RDF, JSON Feed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scrapy.http import Response

from crawler.pages.feeds import FeedPage
from crawler.spiders.walk import Output, Walk


class FeedWalk(Walk):
    """A feed's entries lead to their pages; the summary in the feed is never taken for the article."""

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_feed)

    def read_feed(self, response: Response) -> Iterator[Output]:
        """Yield requests for the entries' unread articles."""
        yield from self.article_requests(FeedPage(response.body, response.url).links())
