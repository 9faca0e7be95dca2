"""The jobs the daemon's clock wakes up. Each asks the database what is due, so that a late, doubled or missed tick is harmless."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from scheduler.context import Installation
from scheduler.crawls import ChildCrawl, Rests, fork_server, places, start_visit
from scheduler.forkserver import ForkServer, end_all, wait_for
from store.clock import clock_fault
from store.config import ConfigError
from store.database import Session, SQLAlchemyError, session_scope
from store.leases import acquire, rest
from store.pages import prune_pages
from store.retention import prune_records
from store.sources import claim_source, due_sources, hold_sources, lost_visits

if TYPE_CHECKING:
    from crawler.sources.kinds import AnySource
    from digest.delivery import DeliveryReport
    from store.models import Issue

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
BOUNCES_EVERY = timedelta(hours=1)


def new_holder() -> str:
    """Return a name for this process that no other one has, readable by an operator."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass
class CrawlJob:
    """Crawls what is due, each source in a child process of its own, never two at once on a host.

    A claim on a source and its host lasts one lease and is prolonged by `keep` while the child lives: when this process is
    killed, another one can go on as soon as the lease is over.
    """

    installation: Installation
    holder: str
    children: list[ChildCrawl] = field(default_factory=list)
    closed: bool = False
    _rests: Rests = field(default_factory=Rests)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def server(self) -> ForkServer:
        """Where children come from; it starts with the first of them."""
        return fork_server(self.installation.config)

    def run(self, now: datetime, sources: Mapping[str, AnySource]) -> int:
        """Collect children that ended, start new ones up to the limit for those of `sources` that are due; return how many."""
        with self._lock:
            self.children = [child for child in self.children if not self._ended(child, now)]
            claimed = [] if self.closed else self._claim(now, sources)
            for name, host, row_id in claimed:
                child = start_visit(self.server, sources[name], row_id)
                self.children.append(ChildCrawl(name, host, now + self._hold, child))
            if not self.children:
                self.server.rest()
            return len(claimed)

    @property
    def at_work(self) -> bool:
        """Whether a child runs, or a host rests whose next source may be due."""
        return bool(self.children or self._rests.hosts())

    def wait(self, seconds: float) -> None:
        """Wait until one of the children has something to say, so many seconds at most."""
        wait_for([child.child for child in self.children], seconds)

    def keep(self, now: datetime) -> None:
        """Prolong the claims of the children that run."""
        until = now + self._hold
        with self._lock, session_scope(self.installation.engine) as session:
            for child in self.children:
                hold_sources(session, [child.name], child.held_until, until)
                if child.host:
                    acquire(session, f"host:{child.host}", self.holder, now, self._hold.total_seconds())
                child.held_until = until

    @property
    def _hold(self) -> timedelta:
        return timedelta(seconds=self.installation.config.daemon.lease_seconds)

    def _claim(self, now: datetime, sources: Container[str]) -> list[tuple[str, str, int]]:
        """Claim due sources for the places that are free; return (name, host, row's number) of each.

        Hosts that somebody else visits are passed over; folders have no host and are always free.
        """
        claimed: list[tuple[str, str, int]] = []
        hosts = {child.host for child in self.children if child.host} | self._rests.hosts()
        passed: set[str] = set()
        free = places(self.installation.config) - len(self.children)
        with session_scope(self.installation.engine) as session:
            while len(claimed) < free:
                due = due_sources(session, now, 1, without=sorted(passed), without_hosts=sorted(hosts))
                if not due:
                    break
                source = due[0]
                passed.add(source.name)
                if source.name not in sources:
                    continue
                if source.host:
                    hosts.add(source.host)
                    if not acquire(
                        session, f"host:{source.host}", self.holder, now, self._hold.total_seconds()
                    ):
                        continue
                if claim_source(session, source, now, self._hold):
                    claimed.append((source.name, source.host, source.id))
        return claimed

    def _ended(self, child: ChildCrawl, now: datetime) -> bool:
        if not child.ended(self.installation.config.crawl.wall_seconds):
            return False
        with session_scope(self.installation.engine) as session:
            lost = not child.unrecorded and lost_visits(
                session, [child.name], child.held_until, now, child.fate
            )
            self._rest(session, child.host, now)
        if lost:
            logger.error("crawl of %s: %s", child.name, child.fate, extra={"source": child.name})
        return True

    def _rest(self, session: Session, host: str, now: datetime) -> None:
        """Leave the host alone for its delay; another holder waits for that too."""
        if host:
            delay = self.installation.config.crawl.delay
            rest(session, f"host:{host}", self.holder, now, delay)
            self._rests.begin(host, delay)

    def stop(self, clock: Clock) -> None:
        """End all children within seven seconds; what they had stored stays, their sources are due again soon."""
        with self._lock:
            end_all([child.child for child in self.children])
            self.server.close()
            try:
                if self.children:
                    with session_scope(self.installation.engine) as session:
                        for child in self.children:
                            self._rest(session, child.host, clock())
            except SQLAlchemyError:
                logger.warning(
                    "the hosts of ended crawls could not be given up; their claims end by themselves"
                )
            self.children = []

    def close(self, clock: Clock) -> None:
        """Start no further children and end those that run."""
        self.closed = True
        self.stop(clock)


def refuse_wrong_clock(now: datetime) -> None:
    """Raise ConfigError when `now` cannot be."""
    if fault := clock_fault(now):
        raise ConfigError(fault)


def compose_weekly(installation: Installation, now: datetime, *, settled_by: str = "") -> Issue | None:
    """Freeze the issue that is due, if any; queue its deliveries; return it. Raises ConfigError at a moment that cannot be.

    `settled_by` names who knows that this issue went out already: its deliveries count as sent.
    """
    from digest.issue import compose_issue
    from store.deliveries import enqueue, settle_issue
    from store.recipients import sync_recipients

    refuse_wrong_clock(now)
    issue = compose_issue(installation.engine, installation.config, now)
    with session_scope(installation.engine) as session:
        sync_recipients(session, installation.config.recipient, now)
        if issue is not None:
            count = enqueue(session, issue.id, now)
            logger.info(
                "issue %d (%d/%d) composed, %d deliveries queued",
                issue.number,
                issue.year,
                issue.year_number,
                count,
            )
            if settled_by:
                settle_issue(session, issue.id, settled_by, now)
    return issue


def deliver(
    installation: Installation, clock: Clock, stop: Callable[[], bool] = lambda: False
) -> DeliveryReport:
    """Send every delivery that is due until `stop` says so between two parcels; return what became of them.

    What an operator must hear of becomes an alert, which the next run that gets a parcel through clears. Raises ConfigError at a
    moment that cannot be.
    """
    from digest.delivery import DeliveryReport, deliver_due
    from digest.parcels import open_channels, parcel_builder

    refuse_wrong_clock(clock())
    try:
        channels, build = (
            open_channels(installation.config),
            parcel_builder(installation.engine, installation.config),
        )
    except ConfigError as error:
        report = DeliveryReport(stopped_because=str(error), alarm=str(error))
    else:
        report = deliver_due(installation.engine, channels, build, clock, stop=stop)
    if report.alarm or report.sent:
        note_trouble(installation, "delivery_stopped", report.alarm or "", clock())
    return report


def note_trouble(installation: Installation, kind: str, detail: str, now: datetime) -> None:
    """Raise the alert `kind` when there is a `detail`, clear it when there is none. A database that is away is only logged."""
    from store.alerts import clear_alert, raise_alert

    try:
        with session_scope(installation.engine) as session:
            if detail:
                raise_alert(session, kind, "mail", detail, now)
            else:
                clear_alert(session, kind, "mail", now)
    except SQLAlchemyError as error:
        logger.error("the alert %s cannot be recorded: %s", kind, error)  # noqa: TRY400  the database is away


def take_in_bounces(installation: Installation, now: datetime) -> Counter[str]:
    """Read what came back, from the mailbox and the folder; return counts by outcome. Trouble becomes an alert."""
    from digest.returns import take_in

    counts, fault = take_in(installation.engine, installation.config, now)
    note_trouble(installation, "bounces_unread", fault, now)
    if counts:
        logger.info("came back: %s", ", ".join(f"{count} {word}" for word, count in sorted(counts.items())))
    return counts


def hourly_bounces(installation: Installation, now: datetime) -> None:
    """Take in bounces unless some process did within the hour: a lease nobody gives back says so."""
    with session_scope(installation.engine) as session:
        if not acquire(session, "bounces", new_holder(), now, BOUNCES_EVERY.total_seconds()):
            return
    take_in_bounces(installation, now)


def prune(installation: Installation, now: datetime) -> int:
    """Delete raw pages beyond their age or size and records beyond their age ([keep]); return how many rows."""
    crawl, keep = installation.config.crawl, installation.config.keep
    days = {name.removesuffix("_days"): getattr(keep, name) for name in keep.__struct_fields__}
    with session_scope(installation.engine) as session:
        records = prune_records(session, now, days)
        pages = prune_pages(session, now, crawl.keep_pages_days, crawl.keep_pages_mb * 2**20)
    return pages + sum(records.values())
