"""Sitemaps, news sitemaps and indexes of sitemaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from scrapy.http import Response

from crawler.items import Link
from crawler.pages.feeds import SitemapPage
from crawler.spiders.walk import Output, Walk
from store.articles import parse_published

#: Sitemaps of one index that are read in a visit; the newest stand at either end, so both ends are taken.
MAX_SITEMAPS = 20


class SitemapWalk(Walk):
    """An index leads to sitemaps, a sitemap to articles that are not older than the source's `days`."""

    def start(self) -> Iterable[Output]:
        for url in self.source.urls:
            yield self.list_request(url, self.read_sitemap, depth=0)

    def read_sitemap(self, response: Response, depth: int) -> Iterator[Output]:
        """Yield requests for further sitemaps (one level) and for unread recent articles."""
        page = SitemapPage(response.body, response.url)
        if depth == 0:
            for url in _both_ends(page.sitemaps()):
                if self.spider.context.config.crawl.max_articles and url not in self._asked:
                    self._asked.add(url)
                    yield self.list_request(url, self.read_sitemap, depth=1)
        links = page.links()
        self.note([link for link in links if not self._recent(link)])  # it may have been changed since
        yield from self.article_requests([link for link in links if self._recent(link)])

    def _recent(self, link: Link) -> bool:
        published, _ = parse_published(link.published_at)
        return published is None or published > self.spider.context.now() - timedelta(days=self.source.days)


def _both_ends(urls: list[str]) -> list[str]:
    half = MAX_SITEMAPS // 2
    return urls if len(urls) <= MAX_SITEMAPS else urls[:half] + urls[-half:]
