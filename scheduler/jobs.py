"""The jobs the daemon's clock wakes up. Each asks the database what is due, so that a late, doubled or missed tick is harmless."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.context import Store
from scheduler.crawls import ChildCrawl
from store.database import Session, session_scope
from store.leases import acquire, release
from store.models import Source
from store.pages import prune_pages
from store.sources import all_sources, claim_source, due_sources

if TYPE_CHECKING:
    from digest.delivery import DeliveryReport
    from store.models import Issue

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
#: Sources that one child visits, so that one start of Scrapy serves several of them.
BATCH = 20


def new_holder() -> str:
    """Return a name for this process that no other one has, readable by an operator."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass
class CrawlJob:
    """Crawls what is due in child processes, never two at once on a host."""

    store: Store
    holder: str
    children: list[ChildCrawl] = field(default_factory=list)

    def run(self, now: datetime) -> int:
        """Collect children that ended, start new ones up to the limit; return how many sources were started."""
        self.children = [child for child in self.children if not self._ended(child, now)]
        free = self.store.config.daemon.crawls_at_once - len(self.children)
        started = 0
        for _ in range(max(0, free)):
            names = self._claim(now)
            if not names:
                break
            self.children.append(ChildCrawl(names, now))
            started += len(names)
        return started

    def _claim(self, now: datetime) -> list[str]:
        """Claim due sources of hosts that nobody else visits; folders have no host and are always free."""
        wall = self.store.config.crawl.wall_seconds + 60
        names: list[str] = []
        with session_scope(self.store.engine) as session:
            for source in due_sources(session, now):
                if len(names) >= BATCH:
                    break
                if self._host_is_free(source, now, wall, session) and claim_source(
                    session, source, now, timedelta(seconds=wall)
                ):
                    names.append(source.name)
        return names

    def _host_is_free(self, source: Source, now: datetime, wall: float, session: Session) -> bool:
        return not source.host or acquire(session, f"host:{source.host}", self.holder, now, wall)

    def _ended(self, child: ChildCrawl, now: datetime) -> bool:
        too_long = (now - child.started_at).total_seconds() > self.store.config.crawl.wall_seconds + 30
        if not child.wait(0) and not too_long:
            return False
        if too_long:
            logger.warning("crawl of %s ran too long and was ended", ", ".join(child.names))
            child.stop()
        with session_scope(self.store.engine) as session:
            for host in {source.host for source in all_sources(session) if source.name in child.names}:
                release(session, f"host:{host}", self.holder)
        return True

    def stop(self) -> None:
        """End all children; what they had stored stays, their sources are due again soon."""
        for child in self.children:
            child.process.terminate()
        for child in self.children:
            child.stop()
        self.children = []


def compose_weekly(store: Store, now: datetime) -> Issue | None:
    """Freeze the issue that is due, if any; queue its deliveries; return it."""
    from digest.issue import compose_issue
    from store.deliveries import enqueue
    from store.recipients import sync_recipients

    issue = compose_issue(store.engine, store.config, now)
    with session_scope(store.engine) as session:
        sync_recipients(session, store.config.recipient, now)
        if issue is not None:
            count = enqueue(session, issue.id, now)
            logger.info(
                "issue %d (%d/%d) composed, %d deliveries queued",
                issue.number,
                issue.year,
                issue.year_number,
                count,
            )
    return issue


def deliver(store: Store, clock: Clock) -> DeliveryReport:
    """Send every delivery that is due; return what became of them."""
    from digest.delivery import deliver_due
    from digest.parcels import open_channels, parcel_builder

    channels = open_channels(store.config)
    return deliver_due(store.engine, channels, parcel_builder(store.engine, store.config), clock)


def prune(store: Store, now: datetime) -> int:
    """Delete raw pages beyond their age or size; return how many."""
    crawl = store.config.crawl
    with session_scope(store.engine) as session:
        return prune_pages(session, now, crawl.keep_pages_days, crawl.keep_pages_mb * 2**20)
