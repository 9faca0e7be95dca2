"""One crawl per host: a crawl started by hand takes the same lease on its hosts as the daemon does for its children."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Collection
from typing import Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.spiders.base import SourceSpider
from store.database import SQLAlchemyError, explain, read_scope, session_scope
from store.leases import acquire, holder_of, rest
from store.sources import DATABASE_FAILED

logger = logging.getLogger(__name__)
#: Set by the daemon for its children, whose hosts it holds itself.
PARENT_VARIABLE = "PARKNEWS_PARENT"
#: Seconds a lease lasts and after which it is prolonged: a killed crawl leaves its hosts free soon.
LEASE_SECONDS, PROLONG_SECONDS = 45, 15
#: The most seconds that a crawl waits for hosts to have rested.
LONGEST_WAIT = 60.0


class HostLease:
    """Leaves sources out whose host somebody else visits at the moment, and keeps the others' hosts until the end."""

    def __init__(self, crawler: Any) -> None:
        if os.environ.get(PARENT_VARIABLE):
            raise NotConfigured  # the daemon holds the hosts; with a message Scrapy would warn of it at every visit
        self.crawler = crawler
        self.holder = f"crawl:{os.getpid()}"
        self.hosts: set[str] = set()
        self.loop: Any = None
        crawler.signals.connect(self.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Build the extension for this crawl."""
        return cls(crawler)

    def spider_opened(self, spider: SourceSpider) -> None:
        """Take the hosts; a source whose host is taken fails as `host_busy`, which is no fault of its own."""
        try:
            self._take_or_leave_out(spider)
        except SQLAlchemyError as error:
            spider.give_up(DATABASE_FAILED, explain(error, spider.context.config.database_url))
            return
        from twisted.internet.task import LoopingCall

        self.loop = LoopingCall(self._prolong, spider)
        self.loop.start(PROLONG_SECONDS, now=False)

    def _take_or_leave_out(self, spider: SourceSpider) -> None:
        wanted = {source.host for source in spider.batch if source.host}
        self._take(spider, wanted)
        if wanted - self.hosts:  # one may only rest after somebody's visit
            time.sleep(min(spider.context.config.crawl.delay, LONGEST_WAIT))
            self._take(spider, wanted - self.hosts)
        for host in sorted(wanted - self.hosts):
            self._leave_out(spider, host)

    def _take(self, spider: SourceSpider, hosts: Collection[str]) -> None:
        now = spider.context.now()
        with session_scope(spider.context.engine) as session:
            taken = {
                host
                for host in sorted(hosts)
                if acquire(session, f"host:{host}", self.holder, now, LEASE_SECONDS)
            }
        self.hosts |= taken

    def _leave_out(self, spider: SourceSpider, host: str) -> None:
        with read_scope(spider.context.engine) as session:
            other = holder_of(session, f"host:{host}", spider.context.now())
        for source in [source for source in spider.batch if source.host == host]:
            spider.batch.remove(source)
            spider.tallies[source.name].fail("host_busy", f"{host} is being visited by {other}", is_list=True)
            logger.warning("source %s: %s is being visited by %s; left out", source.name, host, other)

    def _prolong(self, spider: SourceSpider) -> None:
        """Keep the hosts; end the crawl when one went to somebody else, which takes that this process was stopped for long."""
        kept, self.hosts = self.hosts, set()
        try:
            self._take(spider, kept)
        except SQLAlchemyError as error:
            self.hosts = kept
            logger.warning("the hosts' leases could not be prolonged: %s", error)
        if kept - self.hosts:
            logger.warning(
                "%s went to another crawl meanwhile; this one ends", ", ".join(sorted(kept - self.hosts))
            )
            signal.raise_signal(signal.SIGTERM)  # as if somebody had asked for it

    def spider_closed(self, spider: SourceSpider) -> None:
        """Give the hosts up, once they have had their rest."""
        if self.loop is not None and self.loop.running:
            self.loop.stop()
        now = spider.context.now()
        try:
            with session_scope(spider.context.engine) as session:
                for host in self.hosts:
                    rest(session, f"host:{host}", self.holder, now, spider.context.config.crawl.delay)
        except SQLAlchemyError as error:
            logger.warning("the hosts' leases end by themselves: %s", error)
