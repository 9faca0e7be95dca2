"""The jobs the daemon's clock wakes up. Each asks the database what is due, so that a late, doubled or missed tick is harmless."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.context import Store
from scheduler.crawls import ChildCrawl, end_all
from store.config import ConfigError
from store.database import Session, SQLAlchemyError, session_scope
from store.leases import acquire, release
from store.models import Source
from store.pages import prune_pages
from store.retention import prune_records
from store.sources import CHILD_DIED, all_sources, claim_source, due_sources, hold_sources, lost_visits

if TYPE_CHECKING:
    from digest.delivery import DeliveryReport
    from store.models import Issue

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
#: Sources that one child visits, so that one start of Scrapy serves several of them.
BATCH = 20
BOUNCES_EVERY = timedelta(hours=1)


def new_holder() -> str:
    """Return a name for this process that no other one has, readable by an operator."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass
class CrawlJob:
    """Crawls what is due in child processes, never two at once on a host.

    A claim on a source and its host lasts one lease and is prolonged by `keep` while the child lives: when this process is
    killed, another one can go on as soon as the lease is over.
    """

    store: Store
    holder: str
    children: list[ChildCrawl] = field(default_factory=list)
    closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, now: datetime, *, start: bool = True) -> int:
        """Collect children that ended, start new ones up to the limit; return how many sources were started."""
        with self._lock:
            self.children = [child for child in self.children if not self._ended(child, now)]
            free = self.store.config.daemon.crawls_at_once - len(self.children)
            started = 0
            for _ in range(max(0, free)):
                names = self._claim(now) if start and not self.closed else []
                if not names:
                    break
                self.children.append(ChildCrawl(names, now + self._hold))
                started += len(names)
            return started

    def keep(self, now: datetime) -> None:
        """Prolong the claims of the children that run."""
        until = now + self._hold
        with self._lock, session_scope(self.store.engine) as session:
            for child in self.children:
                hold_sources(session, child.names, child.held_until, until)
                for host in self._hosts(session, child):
                    acquire(session, f"host:{host}", self.holder, now, self._hold.total_seconds())
                child.held_until = until

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.store.config.daemon.lease_seconds)

    def _claim(self, now: datetime) -> list[str]:
        """Claim due sources of hosts that nobody else visits; folders have no host and are always free.

        A source whose last child died is visited alone, so that it takes no other one along.
        """
        names: list[str] = []
        mine: set[str] = set()
        alone = False
        with session_scope(self.store.engine) as session:
            busy = {host for child in self.children for host in self._hosts(session, child)}
            for source in due_sources(session, now):
                if len(names) >= BATCH or alone:
                    break
                if names and source.last_reason == CHILD_DIED:
                    continue
                if source.host in busy or not self._host_is_free(source, now, mine, session):
                    continue
                if claim_source(session, source, now, self._hold):
                    mine.add(source.host)
                    names.append(source.name)
                    alone = source.last_reason == CHILD_DIED
        return names

    def _host_is_free(self, source: Source, now: datetime, mine: set[str], session: Session) -> bool:
        if not source.host or source.host in mine:
            return True
        return acquire(session, f"host:{source.host}", self.holder, now, self._hold.total_seconds())

    def _ended(self, child: ChildCrawl, now: datetime) -> bool:
        too_long = child.seconds > self.store.config.crawl.wall_seconds + 30
        if not child.ended() and not too_long:
            return False
        if too_long:
            logger.warning("crawl of %s ran too long and was ended", ", ".join(child.names))
            end_all([child])
        with session_scope(self.store.engine) as session:
            lost = [] if child.unrecorded else lost_visits(session, child.names, child.held_until, now)
            for host in self._hosts(session, child):
                release(session, f"host:{host}", self.holder)
        if lost:
            logger.error(
                "crawl of %s ended with code %s and left no record", ", ".join(lost), child.process.returncode
            )
        return True

    @staticmethod
    def _hosts(session: Session, child: ChildCrawl) -> set[str]:
        return {source.host for source in all_sources(session) if source.host and source.name in child.names}

    def stop(self) -> None:
        """End all children within seven seconds; what they had stored stays, their sources are due again soon."""
        with self._lock:
            end_all(self.children)
            try:
                with session_scope(self.store.engine) as session:
                    for child in self.children:
                        for host in self._hosts(session, child):
                            release(session, f"host:{host}", self.holder)
            except SQLAlchemyError:
                logger.warning(
                    "the hosts of ended crawls could not be given up; their claims end by themselves"
                )
            self.children = []

    def close(self) -> None:
        """Start no further children and end those that run."""
        self.closed = True
        self.stop()


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


def deliver(store: Store, clock: Clock, stop: Callable[[], bool] = lambda: False) -> DeliveryReport:
    """Send every delivery that is due until `stop` says so between two parcels; return what became of them.

    What an operator must hear of becomes an alert, which the next run that gets a parcel through clears.
    """
    from digest.delivery import DeliveryReport, deliver_due
    from digest.parcels import open_channels, parcel_builder

    try:
        channels, build = open_channels(store.config), parcel_builder(store.engine, store.config)
    except ConfigError as error:
        report = DeliveryReport(stopped_because=str(error), alarm=str(error))
    else:
        report = deliver_due(store.engine, channels, build, clock, stop=stop)
    if report.alarm or report.sent:
        note_trouble(store, "delivery_stopped", report.alarm or "", clock())
    return report


def note_trouble(store: Store, kind: str, detail: str, now: datetime) -> None:
    """Raise the alert `kind` when there is a `detail`, clear it when there is none. A database that is away is only logged."""
    from store.alerts import clear_alert, raise_alert

    try:
        with session_scope(store.engine) as session:
            if detail:
                raise_alert(session, kind, "mail", detail, now)
            else:
                clear_alert(session, kind, "mail", now)
    except SQLAlchemyError as error:
        logger.error("the alert %s cannot be recorded: %s", kind, error)  # noqa: TRY400  the database is away


def take_in_bounces(store: Store, now: datetime) -> Counter[str]:
    """Read what came back, from the mailbox and the folder; return counts by outcome. Trouble becomes an alert."""
    from digest.returns import take_in

    counts, fault = take_in(store.engine, store.config, now)
    note_trouble(store, "bounces_unread", fault, now)
    if counts:
        logger.info("came back: %s", ", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return counts


def hourly_bounces(store: Store, now: datetime) -> None:
    """Take in bounces unless some process did within the hour: a lease nobody gives back says so."""
    with session_scope(store.engine) as session:
        if not acquire(session, "bounces", new_holder(), now, BOUNCES_EVERY.total_seconds()):
            return
    take_in_bounces(store, now)


def prune(store: Store, now: datetime) -> int:
    """Delete raw pages beyond their age or size and records beyond their age ([keep]); return how many rows."""
    crawl, keep = store.config.crawl, store.config.keep
    days = {name.removesuffix("_days"): getattr(keep, name) for name in keep.__struct_fields__}
    with session_scope(store.engine) as session:
        records = prune_records(session, now, days)
        pages = prune_pages(session, now, crawl.keep_pages_days, crawl.keep_pages_mb * 2**20)
    return pages + sum(records.values())
