"""Items into the store: articles with tags and story, unread pages with their reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Self

from scrapy import signals

from crawler.ending import QuickEnd
from crawler.ingest import Arrival, Origin, arrive, ingest_all
from crawler.items import ArticleItem, UnreadPage
from crawler.tally import Tally
from store.articles import pass_url
from store.database import OperationalError, Session, explain, session_scope
from store.pages import quarantine
from store.sources import DATABASE_FAILED

logger = logging.getLogger(__name__)
#: Items and bytes of pages that wait for one transaction, and the seconds the first of them waits at most. So many
#: articles hold SQLite for less than two tenths of a second; more of them at once hardly cost less each.
MOST_ITEMS, MOST_BYTES, MOST_SECONDS = 64, 6 * 2**20, 2.0
Waiting = Arrival | UnreadPage


class StorePipeline:
    """Several items a transaction. What a crash takes with it is fetched again: its list's validators are kept later still.

    An item that cannot be kept takes no other one with it. A database that stays locked or full ends the run instead of losing
    articles.
    """

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._origins: dict[str, Origin] = {}
        self._given_up = False
        crawler.signals.connect(self.flush, signal=signals.spider_idle)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Build the pipeline for this crawl."""
        return cls(crawler)

    def open_spider(self) -> None:
        """Come before the records, which count what is kept, when a crawl has to end in a hurry."""
        if ending := self.crawler.get_extension(QuickEnd):
            ending.late.append(self.flush)

    def process_item(self, item: ArticleItem | UnreadPage) -> ArticleItem | UnreadPage:
        """Let the item wait for the next transaction; the articles of one page come into the same one."""
        waiting = item if isinstance(item, UnreadPage) else self._arrive(item)
        same_page = (
            bool(self._waiting) and item.page is not None and item.page is _item(self._waiting[-1]).page
        )
        if not same_page:
            if len(self._waiting) >= MOST_ITEMS or self._bytes >= MOST_BYTES:
                self.flush()
            self._bytes += len(item.page.body) if item.page else 0
        self._waiting.append(waiting)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(MOST_SECONDS, self.flush)
        return item

    def close_spider(self) -> None:
        """Keep what still waits."""
        self.flush()

    def flush(self) -> None:
        """Keep everything that waits, and count what became of it."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if waiting:
            self._keep(waiting)

    def _arrive(self, item: ArticleItem) -> Arrival:
        context, name = self.crawler.spider.context, item.source or ""
        if name not in self._origins:
            source = next(source for source in self.crawler.spider.batch if source.name == name)
            self._origins[name] = Origin(context.source_ids[name], source.publisher, source.zone)
        if item.page:
            _ = item.page.packed  # now, not while the database waits
        return arrive(item, context.classifier, self._origins[name], context.now())

    def _keep(self, waiting: Sequence[Waiting]) -> None:
        """Write the items in one transaction; when that fails, each in its own."""
        if self._given_up:
            self._lose(waiting, DATABASE_FAILED, "given up")
            return
        try:
            with session_scope(self.crawler.spider.context.engine) as session:
                kept = self._write(session, waiting)
        except OperationalError as error:
            logger.critical(
                "nothing more is kept: %s", explain(error, self.crawler.spider.context.engine.url)
            )
            self._given_up = True
            self._lose(waiting, DATABASE_FAILED, type(error).__name__)
            self.crawler.engine.close_spider(self.crawler.spider, DATABASE_FAILED)
        except Exception as error:
            if len(waiting) > 1:
                for one in waiting:
                    self._keep([one])
                return
            logger.exception("%s could not be kept", _item(waiting[0]).url)
            self._lose(waiting, "exception", type(error).__name__)
        else:
            for item, outcome, relevant in kept:
                self._count(item, outcome, relevant=relevant)

    def _write(
        self, session: Session, waiting: Sequence[Waiting]
    ) -> list[tuple[ArticleItem | UnreadPage, str, bool]]:
        """Write the items and return each with what became of it and whether it is relevant."""
        arrivals = [one for one in waiting if isinstance(one, Arrival)]
        articles = ingest_all(session, arrivals) if arrivals else []
        unread = [one for one in waiting if isinstance(one, UnreadPage)]
        for one in unread:
            self._note(session, one)
        return [
            *(
                (arrival.item, outcome, article.relevant)
                for arrival, (article, outcome) in zip(arrivals, articles, strict=True)
            ),
            *((one, "unread", False) for one in unread),
        ]

    def _note(self, session: Session, item: UnreadPage) -> None:
        context = self.crawler.spider.context
        if item.keep and item.page:
            number = context.source_ids[item.source or ""]
            quarantine(session, item.page, number, item.reason, item.detail, context.now())
        pass_url(session, item.url, item.reason, context.now())

    def _count(self, item: ArticleItem | UnreadPage, outcome: str, *, relevant: bool) -> None:
        tally = self._tally(item)
        if isinstance(item, UnreadPage):
            tally.reasons[item.reason] += item.page is not None
            tally.unread += item.keep and not self._waits(item)
            return
        setattr(tally, outcome, getattr(tally, outcome) + 1)
        if outcome == "new":
            tally.note_article(item, relevant=relevant)

    def _lose(self, waiting: Sequence[Waiting], reason: str, detail: str) -> None:
        """Count items that could not be kept, so that their list is read again in full."""
        for one in waiting:
            item = _item(one)
            self._tally(item).fail(reason, f"{item.url}: {detail}", is_list=False)

    def _tally(self, item: ArticleItem | UnreadPage) -> Tally:
        tally: Tally = self.crawler.spider.tallies[item.source or ""]
        return tally

    def _waits(self, item: UnreadPage) -> bool:
        """Return whether a scanned page is no failure of the visit: it is read later, in the background."""
        if item.reason != "scanned":
            return False
        return any(getattr(s, "ocr", False) for s in self.crawler.spider.batch if s.name == item.source)


def _item(waiting: Waiting) -> ArticleItem | UnreadPage:
    return waiting.item if isinstance(waiting, Arrival) else waiting
