"""One row per source and visit, written from what was counted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Self

from scrapy import signals

from crawler.ending import QuickEnd
from crawler.spiders.base import SourceSpider
from crawler.tally import judge
from store.database import OperationalError, SQLAlchemyError, explain, session_scope
from store.pages import save_validators
from store.sources import DATABASE_FAILED, finish_crawl, start_crawl

logger = logging.getLogger(__name__)


class CrawlRecorder:
    """Opens a Crawl row per source when the spider opens and closes it, judged, when the spider closes."""

    #: called after each response with the spider; the command line draws its progress bar with it
    on_progress: Callable[[SourceSpider], None] | None = None

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.crawl_ids: dict[str, int] = {}
        self.written = False
        for method, signal in (
            (self.spider_opened, signals.spider_opened),
            (self.spider_closed, signals.spider_closed),
            (self.request_sent, signals.request_reached_downloader),
            (self.bytes_received, signals.response_downloaded),
            (self.callback_failed, signals.spider_error),
            (self.item_failed, signals.item_error),
        ):
            crawler.signals.connect(method, signal=signal)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Build the extension for this crawl."""
        return cls(crawler)

    def spider_opened(self, spider: SourceSpider) -> None:
        """Open the records of this run."""
        if ending := self.crawler.get_extension(QuickEnd):
            ending.late.append(lambda: self.spider_closed(spider, "shutdown"))
        try:
            self.crawl_ids = self._begin(spider)
        except SQLAlchemyError as error:
            spider.give_up(DATABASE_FAILED, explain(error, spider.context.config.database_url))

    def _begin(self, spider: SourceSpider) -> dict[str, int]:
        context = spider.context
        if not spider.batch:
            return {}
        _ = context.sources
        with session_scope(context.engine) as session:
            return {
                source.name: start_crawl(session, context.source_ids[source.name], context.now()).id
                for source in spider.batch
            }

    def request_sent(self, request: Any, spider: SourceSpider) -> None:
        """Count a request to its source."""
        if tally := spider.tallies.get(request.meta.get("source", "")):
            tally.requests += 1

    def bytes_received(self, response: Any, request: Any, spider: SourceSpider) -> None:
        """Count a response's bytes to its source."""
        if tally := spider.tallies.get(request.meta.get("source", "")):
            tally.bytes += len(response.body)
        if CrawlRecorder.on_progress:
            CrawlRecorder.on_progress(spider)

    def callback_failed(self, failure: Any, response: Any, spider: SourceSpider) -> None:
        """Count a callback that raised (Scrapy logs the traceback): a fault of ours that must not pass for a quiet source.

        Without a response it was `start` that raised, which concerns every source of the run.
        """
        if response is None:
            for tally in spider.tallies.values():
                tally.fail("exception", f"{failure.value!r}", is_list=True)
        elif tally_of := spider.tallies.get(response.meta.get("source", "")):
            tally_of.fail(
                "exception", f"{response.url}: {failure.value!r}", is_list=bool(response.meta.get("is_list"))
            )

    def item_failed(self, item: Any, spider: SourceSpider, failure: Any) -> None:
        """Count an article that could not be stored, so that its list is read again in full: it must not be lost."""
        if tally := spider.tallies.get(getattr(item, "source", None) or ""):
            tally.fail("exception", f"{item.url}: {type(failure.value).__name__}", is_list=False)

    def spider_closed(self, spider: SourceSpider, reason: str) -> None:
        """Close the records, once; list validators are kept only when everything the lists link to was dealt with."""
        if self.written:
            return
        self.written = True
        now = spider.context.now()
        for name in spider.tallies.keys() - self.crawl_ids.keys():
            spider.tallies[name].unrecorded = True
        for name, crawl_id in self.crawl_ids.items():
            tally = spider.tallies[name]
            visit = judge(tally, reason)
            try:
                with session_scope(spider.context.engine) as session:
                    finish_crawl(
                        session,
                        crawl_id,
                        visit,
                        tally.as_stats() | {"coverage": tally.coverage()},
                        now,
                        retry_after=tally.retry_after,
                    )
                    if visit.outcome == "ok" and not tally.articles_failed:
                        save_validators(session, tally.validators, now)
            except SQLAlchemyError as error:
                tally.unrecorded = True
                fault = explain(error, spider.context.config.database_url)
                logger.error(  # noqa: TRY400  the traceback only where the database is not to blame
                    "source %s: no record of this visit: %s",
                    name,
                    fault,
                    exc_info=not isinstance(error, OperationalError),
                    extra={"source": name},
                )
            logger.log(
                logging.WARNING if visit.outcome in {"failed", "degraded"} else logging.INFO,
                "source %s: %s%s, %d requests, %d new, %d revised, %d known, %d dropped%s",
                name,
                visit.outcome,
                f" ({visit.reason})" if visit.reason else "",
                visit.requests,
                visit.new,
                visit.revised,
                visit.seen,
                visit.dropped,
                f"; {visit.error}" if visit.error else "",
                extra={"source": name},
            )
