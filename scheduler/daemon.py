"""The daemon: a clock that wakes jobs, a lease so that only one of several daemons acts. The only user of APScheduler.

Jobs live in memory and are set up anew at every start: a stored job would run twice under two daemons and vanish when its
function is renamed. `misfire_grace_time=None` and `coalesce` make a late tick run once instead of never.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler import jobs
from scheduler.context import Store
from scheduler.monitors import report_alerts, run_monitors
from store.database import SQLAlchemyError, session_scope
from store.leases import acquire, release

logger = logging.getLogger(__name__)
LEASE = "daemon"
#: Seconds between looks at the slow things: monitors and pruning.
MONITOR_SECONDS, PRUNE_SECONDS = 300, 86_400


class Daemon:
    """Ticks until it is told to stop; acts only while it holds the lease."""

    def __init__(self, store: Store, clock: jobs.Clock) -> None:
        self.store = store
        self.clock = clock
        self.holder = jobs.new_holder()
        self.crawls = jobs.CrawlJob(store, self.holder)
        self.stopping = threading.Event()
        self.leading = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end running crawls and give the lease up. Returns within ten seconds."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self.keep_lease()
        scheduler = self.build_scheduler()
        scheduler.start()
        logger.info("daemon %s started, %s", self.holder, "leading" if self.leading else "standing by")
        while not self.stopping.wait(1):
            pass
        logger.info("daemon stopping")
        self.crawls.stop()
        scheduler.shutdown(wait=False)
        self.crawls.stop()
        with session_scope(self.store.engine) as session:
            release(session, LEASE, self.holder)
        logger.info("daemon stopped")

    def build_scheduler(self) -> BackgroundScheduler:
        """Return the clock with its ticks; nothing runs yet."""
        settings = self.store.config.daemon
        scheduler = BackgroundScheduler(
            timezone=self.store.config.zone_info,
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        ticks: list[tuple[Callable[[datetime], Any], float]] = [
            (self.crawl, settings.tick_seconds),
            (self.compose, settings.tick_seconds),
            (self.deliver, settings.tick_seconds),
            (self.watch, MONITOR_SECONDS),
            (self.prune, PRUNE_SECONDS),
        ]
        for job, seconds in ticks:
            scheduler.add_job(
                self._guarded(job),
                "interval",
                seconds=seconds,
                id=job.__name__,
                next_run_time=datetime.now(scheduler.timezone),
            )
        scheduler.add_job(self.keep_lease, "interval", seconds=max(1, settings.lease_seconds / 3), id="lease")
        return scheduler

    def keep_lease(self) -> None:
        """Take or renew the lease; log when that changes who leads."""
        try:
            with session_scope(self.store.engine) as session:
                leads = acquire(
                    session, LEASE, self.holder, self.clock(), self.store.config.daemon.lease_seconds
                )
        except SQLAlchemyError as error:
            logger.error("the lease could not be renewed: %s", error)  # noqa: TRY400  one line; the database is away
            leads = False
        if leads != self.leading:
            logger.info(
                "daemon %s is %s",
                self.holder,
                "leading now" if leads else "standing by: another daemon leads",
            )
        if self.leading and not leads:
            self.crawls.stop()
        self.leading = leads

    def _guarded(self, job: Callable[[datetime], Any]) -> Callable[[], None]:
        """Run a job only while leading; its failure is logged and never stops the clock."""

        def tick() -> None:
            if not self.leading or self.stopping.is_set():
                return
            try:
                job(self.clock())
            except Exception:
                logger.exception("job %s failed; it runs again at its next tick", job.__name__)

        return tick

    def crawl(self, now: datetime) -> None:
        """Follow the sources file and start what is due."""
        from crawler.sources.loader import load_sources
        from store.sources import sync_sources

        sources = load_sources(self.store.config)
        with session_scope(self.store.engine) as session:
            sync_sources(session, sources, self.store.config.daemon.interval_minutes * 60, now)
        self.crawls.run(now)

    def compose(self, now: datetime) -> None:
        """Freeze the issue when its hour has come."""
        jobs.compose_weekly(self.store, now)

    def deliver(self, now: datetime) -> None:  # noqa: ARG002  every tick has the same form
        """Send what is due."""
        report = jobs.deliver(self.store, self.clock)
        if report.sent or report.stopped_because:
            logger.info("deliveries: %s", report)

    def watch(self, now: datetime) -> None:
        """Look for trouble and tell the operators once per change."""
        run_monitors(self.store, now)
        report_alerts(self.store, now)

    def prune(self, now: datetime) -> None:
        """Delete old raw pages."""
        if count := jobs.prune(self.store, now - timedelta(0)):
            logger.info("pruned %d raw pages", count)
