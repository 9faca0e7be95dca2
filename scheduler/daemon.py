"""The daemon: a clock that wakes jobs, a lease so that only one of several daemons acts. The only user of APScheduler.

Jobs live in memory and are set up anew at every start: a stored job would run twice under two daemons and vanish when its
function is renamed. `misfire_grace_time=None` and `coalesce` make a late tick run once instead of never. APScheduler reckons
its ticks by the wall clock; when that is set back or forward, all ticks are set anew.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from scheduler import jobs
from scheduler.context import Installation
from scheduler.work import Work
from store.clock import clock_fault
from store.config import ConfigError
from store.database import OperationalError, SQLAlchemyError, explain, is_damaged, session_scope
from store.leases import acquire, release

if TYPE_CHECKING:
    from digest.web.serve import Server

logger = logging.getLogger(__name__)
LEASE = "daemon"
#: Seconds between looks at the slow things: monitors and pruning.
MONITOR_SECONDS, PRUNE_SECONDS, SETTLE_SECONDS = 60, 86_400, 21_600
#: Threads of the jobs; crawls, which last, and the lease, which must not wait, have their own.
THREADS = {"default": 4, "crawl": 1, "lease": 1}
#: Seconds that wall clock and monotonic clock may drift apart between two looks before it counts as a jump.
JUMP_SECONDS = 5
#: Seconds that jobs in the middle of something get at the end, after the crawls were ended (7 s at most).
LAST_SECONDS = 2.0


class Daemon:
    """Ticks until it is told to stop; acts only while it holds the lease."""

    def __init__(self, installation: Installation, clock: jobs.Clock) -> None:
        self.installation = installation
        self.clock = clock
        self.holder = jobs.new_holder()
        self.crawls = jobs.CrawlJob(installation, self.holder)
        self.work = Work(installation, clock, self.crawls)
        self.stopping = threading.Event()
        self.leading = False
        self.leads_until: datetime | None = None
        self.database_fault = ""
        self.clock_wrong = False
        self.busy = 0
        self._count = threading.Lock()

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; then end running crawls and give the lease up. Returns within ten seconds.

        Raises OperationalError when the database's file is damaged: one that is away, full or locked is waited for.
        `busy` then says how many jobs could not be awaited; they may be cut off, as at a power failure.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self.keep_lease()
        scheduler = self.build_scheduler()
        scheduler.start()
        logger.info("daemon %s started, %s", self.holder, "leading" if self.leading else "standing by")
        web = self._start_web()
        self._wait(scheduler)
        logger.info("daemon stopping")
        if web:
            web.close()
        self.crawls.close(self.clock)
        scheduler.shutdown(wait=False)
        limit = time.monotonic() + LAST_SECONDS
        while self.busy and time.monotonic() < limit:
            time.sleep(0.05)
        try:
            with session_scope(self.installation.engine) as session:
                release(session, LEASE, self.holder)
        except SQLAlchemyError as error:
            logger.warning("the lease could not be given up, it ends by itself: %s", self._explain(error))
        logger.info("daemon stopped")

    def _start_web(self) -> Server | None:
        """Serve the archive beside the jobs when [web] in_daemon says so; a port that is taken stops neither mail nor crawls."""
        if not self.installation.config.web.in_daemon:
            return None
        from digest.web.serve import start

        try:
            return start(self.installation.engine, self.installation.config)
        except ConfigError as error:
            logger.error("the web is not served: %s", error)  # noqa: TRY400  one line; the daemon goes on
            return None

    def _wait(self, scheduler: BackgroundScheduler) -> None:
        offset = self.clock().timestamp() - time.monotonic()
        while not self.stopping.wait(1):
            drift = self.clock().timestamp() - time.monotonic() - offset
            if abs(drift) > JUMP_SECONDS:
                logger.warning("the clock was set by %+.0f s; all ticks begin anew", drift)
                offset += drift
                self.keep_lease()
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(scheduler.timezone))

    def build_scheduler(self) -> BackgroundScheduler:
        """Return the clock with its ticks; nothing runs yet."""
        settings = self.installation.config.daemon
        scheduler = BackgroundScheduler(
            timezone=self.installation.config.zone_info,
            executors={name: ThreadPoolExecutor(count) for name, count in THREADS.items()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        ticks: list[tuple[Callable[[datetime], Any], float]] = [
            (self.crawl, settings.tick_seconds),
            (self.work.compose, settings.tick_seconds),
            (self.deliver, settings.tick_seconds),
            (self.work.watch, max(MONITOR_SECONDS, settings.tick_seconds)),
            (self.work.prune, PRUNE_SECONDS),
            (self.work.settle, SETTLE_SECONDS),
            (self.read_scans, max(MONITOR_SECONDS, settings.tick_seconds)),
        ]
        for job, seconds in ticks:
            scheduler.add_job(
                self._guarded(job),
                "interval",
                seconds=seconds,
                id=job.__name__,
                executor=job.__name__ if job.__name__ in THREADS else "default",
                next_run_time=datetime.now(scheduler.timezone),
            )
        scheduler.add_job(
            self.keep_lease,
            "interval",
            seconds=max(1, settings.lease_seconds / 3),
            id="lease",
            executor="lease",
        )
        return scheduler

    def keep_lease(self) -> None:
        """Take or renew the lease and the claims of running crawls; log when that changes who leads.

        While the database is away a lease goes on to its end: nobody else could take it. Nobody leads while the clock shows a
        moment that cannot be.
        """
        now, hold = self.clock(), timedelta(seconds=self.installation.config.daemon.lease_seconds)
        if fault := clock_fault(now):
            if not self.clock_wrong:
                logger.error("nothing is visited, composed or sent: %s", fault)
            self.clock_wrong = True
            self._lead(leads=False, now=now, why="the clock is wrong")
            return
        self.clock_wrong = False
        try:
            with session_scope(self.installation.engine) as session:
                leads = acquire(session, LEASE, self.holder, now, hold.total_seconds())
            if leads and self.crawls.children:
                self.crawls.keep(now)
        except SQLAlchemyError as error:
            if self.leads_until is None and is_damaged(error):
                raise
            self._database_failed(error)
            leads = self.leading and self.leads_until is not None and now < self.leads_until <= now + hold
        else:
            self.leads_until = now + hold
            if self.database_fault and not is_damaged(self.database_fault):
                self.database_fault = ""
                logger.info("the database answers again")
        why = "the database is away" if self.database_fault else "another daemon leads"
        self._lead(leads=leads, now=now, why=why)

    def _lead(self, *, leads: bool, now: datetime, why: str) -> None:
        """Begin or end to act; `why` it ends is said once."""
        if leads != self.leading:
            logger.info("daemon %s is %s", self.holder, "leading now" if leads else f"standing by: {why}")
        if leads and not self.leading:
            self.work.led_since = now
        if self.leading and not leads:
            self.crawls.stop(self.clock)
        self.leading = leads

    def _database_failed(self, error: SQLAlchemyError) -> None:
        """Say in one line that the database fails, once until it answers again."""
        if not self.database_fault:
            self.database_fault = self._explain(error)
            waits = "" if is_damaged(error) else ", work goes on when it answers again"
            logger.error("the database fails%s: %s", waits, self.database_fault)

    def _explain(self, error: SQLAlchemyError) -> str:
        return explain(error, self.installation.config.database_url)

    def crawl(self, now: datetime) -> None:
        """Visit what is due, until nothing is or told to stop."""
        self.work.crawl(now, lambda: self.stopping.is_set() or not self.leading)

    def deliver(self, now: datetime) -> None:
        """Send what is due, until told to stop."""
        self.work.deliver(now, lambda: self.stopping.is_set() or not self.leading)

    def read_scans(self, now: datetime) -> None:
        """Read one scanned page, if one waits."""
        self.work.read_scans(now, lambda: self.stopping.is_set() or not self.leading)

    def _guarded(self, job: Callable[[datetime], Any]) -> Callable[[], None]:
        """Run a job only while leading; its failure is logged and never stops the clock."""

        def tick() -> None:
            if not self.leading or self.stopping.is_set():
                return
            with self._count:
                self.busy += 1
            try:
                job(self.clock())
            except OperationalError as error:
                self._database_failed(error)
            except Exception:
                logger.exception(
                    "job %s failed; it runs again at its next tick", job.__name__, extra={"job": job.__name__}
                )
            finally:
                with self._count:
                    self.busy -= 1

        return tick
