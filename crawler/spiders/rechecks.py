"""Recent articles looked at again at the end of a visit, so that corrections are noticed: few, conditional, never instead of news."""

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
from store.rechecks import Recheck, take_rechecks

#: One look at a known article for so many requests for lists and new articles.
REQUESTS_A_RECHECK = 10


def recheck_requests(context: CrawlContext, by_name: Mapping[str, Walk]) -> list[scrapy.Request]:
    """Return requests for known articles whose time has come, within the visit's allowance; sources in trouble are left alone."""
    days = context.config.crawl.recheck_days
    walks = {name: walk for name, walk in by_name.items() if _is_well(walk)}
    asked = sum(walk.tally.lists + walk.tally.unchanged + walk.tally.pages for walk in walks.values())
    if not asked or not days:
        return []
    with session_scope(context.engine) as session:
        due = take_rechecks(session, list(walks), context.now(), max(1, asked // REQUESTS_A_RECHECK), days)
    return [_request(walks[recheck.source], recheck) for recheck in due]


def _is_well(walk: Walk) -> bool:
    tally = walk.tally
    return not (tally.listless or tally.lists_failed or tally.articles_failed or tally.retry_after)


def _request(walk: Walk, recheck: Recheck) -> scrapy.Request:
    def read(response: Response) -> Iterator[Output]:
        walk.tally.rechecked += 1
        if response.status != 304:
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
