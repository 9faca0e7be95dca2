"""Recent articles looked at again at the end of a visit, so that corrections are noticed: those that lists hint at, and a few more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import scrapy
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.context import CrawlContext
from crawler.failures import reason_of
from crawler.items import Link
from crawler.spiders.walk import Output, Walk
from store.database import session_scope
from store.rechecks import Recheck, note_listed, settle_hints, take_rechecks

#: One look at a known article unasked for so many requests for lists and new articles.
REQUESTS_A_RECHECK = 10


class Rechecks:
    """The second looks of one run of the spider: `requests` once everything was asked for, `settle` when those are answered."""

    def __init__(self, context: CrawlContext, walks: Mapping[str, Walk]) -> None:
        self._context, self._walks = context, walks
        self._asked: list[Recheck] | None = None

    def requests(self) -> list[scrapy.Request]:
        """Return requests for articles that lists hint at, and for a few whose time has come; none the second time.

        Sources in trouble are left alone; what their lists say is read again at the next visit.
        """
        if self._asked is not None:
            self.settle()
            return []
        self._asked = []
        days = self._context.config.crawl.recheck_days
        walks = {name: walk for name, walk in self._walks.items() if _is_well(walk)}
        asked = sum(walk.tally.lists + walk.tally.unchanged + walk.tally.pages for walk in walks.values())
        if not asked or not days:
            return []
        now = self._context.now()
        with session_scope(self._context.engine) as session:
            for name, walk in walks.items():
                if walk.listed:
                    note_listed(session, name, walk.listed, now, days)
            limit = max(1, asked // REQUESTS_A_RECHECK)
            self._asked = take_rechecks(session, list(walks), now, limit, days)
        return [_request(walks[recheck.source], recheck) for recheck in self._asked]

    def settle(self) -> None:
        """Learn what the hints of this run were worth."""
        if self._asked and any(recheck.hints for recheck in self._asked):
            with session_scope(self._context.engine) as session:
                settle_hints(session, self._asked)
        self._asked = []


def _is_well(walk: Walk) -> bool:
    tally = walk.tally
    return not (tally.listless or tally.lists_failed or tally.articles_failed or tally.retry_after)


def _request(walk: Walk, recheck: Recheck) -> scrapy.Request:
    def read(response: Response) -> Iterator[Output]:
        walk.tally.rechecked += 1
        if response.status != 304 and (evidence := walk.challenge(response)):
            walk.spider.logger.info("%s could not be looked at again: %s", recheck.url, evidence)
        elif response.status != 304:
            yield from walk.read_article(response, Link(recheck.url), "portal")

    def failed(failure: Failure) -> None:
        """Leave the article as it is: a page that is gone or does not answer is no news and no fault of the source's lists."""
        reason, detail, _, wait = reason_of(failure)
        walk.tally.retry_after = max(walk.tally.retry_after, wait)
        walk.spider.logger.info("%s could not be looked at again: %s %s", recheck.url, reason, detail)

    meta = {"source": walk.source.name, "asked_url": recheck.url, "handle_httpstatus_list": [304]}
    return scrapy.Request(
        recheck.url, read, errback=failed, headers=recheck.headers, meta=meta, dont_filter=True
    )
