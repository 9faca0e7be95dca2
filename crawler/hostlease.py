"""One crawl per host: a crawl started by hand takes the same lease on its hosts as the daemon does for its children."""

from __future__ import annotations

import logging
import os
from typing import Any, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from crawler.spiders.base import SourceSpider
from store.database import SQLAlchemyError, session_scope
from store.leases import acquire, holder_of, release

logger = logging.getLogger(__name__)
#: Set by the daemon for its children, whose hosts it holds itself.
PARENT_VARIABLE = "PARKNEWS_PARENT"
#: Seconds a lease lasts and after which it is prolonged: a killed crawl leaves its hosts free soon.
LEASE_SECONDS, PROLONG_SECONDS = 45, 15


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
        now = spider.context.now()
        with session_scope(spider.context.engine) as session:
            for host in sorted({source.host for source in spider.batch if source.host}):
                if acquire(session, f"host:{host}", self.holder, now, LEASE_SECONDS):
                    self.hosts.add(host)
                    continue
                other = holder_of(session, f"host:{host}", now)
                for source in [source for source in spider.batch if source.host == host]:
                    spider.batch.remove(source)
                    spider.tallies[source.name].fail(
                        "host_busy", f"{host} is being visited by {other}", is_list=True
                    )
                    logger.warning("source %s: %s is being visited by %s; left out", source.name, host, other)
        from twisted.internet.task import LoopingCall

        self.loop = LoopingCall(self._prolong, spider)
        self.loop.start(PROLONG_SECONDS, now=False)

    def _prolong(self, spider: SourceSpider) -> None:
        try:
            with session_scope(spider.context.engine) as session:
                for host in self.hosts:
                    acquire(session, f"host:{host}", self.holder, spider.context.now(), LEASE_SECONDS)
        except SQLAlchemyError as error:
            logger.warning("the hosts' leases could not be prolonged: %s", error)

    def spider_closed(self, spider: SourceSpider) -> None:
        """Give the hosts up."""
        if self.loop is not None and self.loop.running:
            self.loop.stop()
        try:
            with session_scope(spider.context.engine) as session:
                for host in self.hosts:
                    release(session, f"host:{host}", self.holder)
        except SQLAlchemyError as error:
            logger.warning("the hosts' leases end by themselves: %s", error)
