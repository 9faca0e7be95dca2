"""What the daemon's ticks do, with the little they remember between two of them. Everything else is in the database."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.context import Installation
from scheduler.jobs import Clock, CrawlJob, compose_weekly, deliver, hourly_bounces, prune
from scheduler.sourcesfile import SourcesFile
from store.alerts import clear_alert
from store.config import ConfigError
from store.database import read_scope, session_scope
from store.deliveries import LedgerError
from store.models import Source
from store.sources import SHUTDOWN, all_sources

if TYPE_CHECKING:
    from scheduler.monitors import Pauses
    from scheduler.workers import Submitter

logger = logging.getLogger(__name__)
#: An issue overdue when the daemon begins to lead waits this long for sources that nobody could visit meanwhile.
CATCH_UP = timedelta(minutes=15)
#: Waits after deliveries that a broken channel stopped: doubled each time.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=10)
#: The same after a refused login: providers lock accounts that try wrong passwords too often. A corrected one comes with a restart.
FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE = timedelta(minutes=10), timedelta(hours=2)
#: Seconds between two looks at crawls that run, when none of them has ended before.
LOOK_SECONDS = 1.0
#: Between two pings of the outside watcher.
PING_EVERY = timedelta(minutes=5)


@dataclass
class Work:
    """What the ticks do, with what they remember between two of them. Everything else is in the database."""

    installation: Installation
    clock: Clock
    crawls: CrawlJob
    led_since: datetime | None = None
    _pause: timedelta = timedelta()
    _paused_since: datetime | None = None
    _pinged: datetime | None = None
    _files: SourcesFile = field(default_factory=SourcesFile)
    _queue: Submitter | None = None
    _pauses: Pauses | None = None

    def crawl(self, now: datetime, stop: Callable[[], bool]) -> None:
        """Visit what is due until nothing is, no visit runs and no host rests; while the sources file is faulty none begins."""
        sources = self._files.follow(self.installation, now)
        if self.installation.config.daemon.workers:
            self._submit(now, start=bool(sources))
            return
        self.crawls.run(now, sources)
        while self.crawls.at_work and not stop():
            self.crawls.wait(LOOK_SECONDS)
            now = self.clock()
            self.crawls.run(now, self._files.follow(self.installation, now))

    def _submit(self, now: datetime, *, start: bool) -> None:
        from scheduler.workers import Submitter

        self._queue = self._queue or Submitter(self.installation)
        if start and (count := self._queue.submit(now)):
            logger.info("%d crawls put on the queue", count)

    def compose(self, now: datetime) -> None:
        """Freeze the issue when its hour has come; after an outage first visit what was not visited."""
        self._files.follow(self.installation, now)
        if not self._catching_up(now):
            compose_weekly(self.installation, now)

    def _catching_up(self, now: datetime) -> bool:
        if self.led_since is None or not timedelta() <= now - self.led_since < CATCH_UP:
            return False
        with read_scope(self.installation.engine) as session:
            return any(_is_stale(source, now) for source in all_sources(session))

    def deliver(self, now: datetime, stop: Callable[[], bool]) -> None:
        """Send what is due, then take in what came back: a slow mailbox keeps no mail waiting."""
        self._send(now, stop)
        if stop():
            return
        try:
            hourly_bounces(self.installation, now)
        except (OSError, LedgerError, ConfigError) as error:
            logger.error("bounces cannot be read: %s", error)  # noqa: TRY400  the message is all of it

    def _send(self, now: datetime, stop: Callable[[], bool]) -> None:
        """Send what is due; after a broken channel with growing pauses."""
        if self._paused_since and timedelta() <= now - self._paused_since < self._pause:
            return
        report = deliver(self.installation, self.clock, stop)
        if report.alarm:
            first, longest = FIRST_PAUSE, LONGEST_PAUSE
            if report.login_refused:
                first, longest = FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE
            self._pause = min(max(first, self._pause * 2), longest)
            self._paused_since = now
            logger.error("deliveries wait %d s: %s", self._pause.total_seconds(), report.alarm)
        else:
            self._pause, self._paused_since = timedelta(), None
        if report.sent or report.suppressed or report.in_doubt or report.failed:
            logger.info(
                "deliveries: %d sent, %d put off, %d suppressed, %d in doubt, %d failed",
                report.sent,
                report.retried,
                report.suppressed,
                report.in_doubt,
                report.failed,
            )

    def read_scans(self, now: datetime, stop: Callable[[], bool]) -> None:  # noqa: ARG002
        """Read one scanned page that waits, when a source asks for it and the extra is installed; takes minutes."""
        if not any(
            getattr(source, "ocr", False) for source in self._files.read(self.installation.config).values()
        ):
            return
        from crawler.context import CrawlContext
        from crawler.pages.scanned import is_installed
        from crawler.scanning import read_scans

        if not is_installed():
            return
        if done := read_scans(CrawlContext(self.installation.config, self.clock), limit=1, stop=stop):
            logger.info("scanned pages: %s", ", ".join(f"{count} {word}" for word, count in done.items()))

    def watch(self, now: datetime) -> None:
        """Look for trouble and tell the operators once per change."""
        from scheduler.monitors import Pauses, report_alerts, run_monitors

        with session_scope(self.installation.engine) as session:
            clear_alert(session, "daemon_dead", "daemon", now)
        findings = run_monitors(self.installation, now)
        if not {"late_issue", "issue_not_sent", "clock"} & {finding.kind for finding in findings}:
            self._ping(now)
        self._pauses = self._pauses or Pauses()
        report_alerts(self.installation, now, self._pauses)

    def _ping(self, now: datetime) -> None:
        """Tell the outside watcher that all is well."""
        url = self.installation.config.daemon.ping_url
        if not url or (self._pinged and timedelta() <= now - self._pinged < PING_EVERY):
            return
        self._pinged = now
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  http and https only, checked by the configuration
                answer.read(1)
        except OSError as error:
            logger.warning("%s could not be pinged: %s", url, error)

    def settle(self, now: datetime) -> None:
        """Work stories out again when articles came that others should have followed."""
        from store.stories import settle_stories

        if done := settle_stories(self.installation.engine, now):
            logger.info("stories settled: %s", done)

    def prune(self, now: datetime) -> None:
        """Delete old raw pages."""
        if count := prune(self.installation, now):
            logger.info("pruned %d rows that were kept long enough", count)


def _is_stale(source: Source, now: datetime) -> bool:
    """Return whether a source that answers has missed its last two visits, or its last was cut short: nobody was there to make them."""
    if not source.enabled or source.error_count:
        return False
    return (
        source.checked_at is None
        or source.last_reason == SHUTDOWN
        or now - source.checked_at > 2 * timedelta(seconds=source.interval_seconds)
    )
