"""The daemon's own clockwork: who acts, what a failing job does, what happens when the clock is set."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.context import Installation
from scheduler.daemon import Daemon
from scheduler.logs import JsonFormatter, TextFormatter
from store.config import Config
from store.database import OperationalError, session_scope
from store.leases import acquire
from store.schema import ensure


class Clock:
    wrong = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.wrong


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    installation = Installation(Config(base=str(tmp_path)))
    ensure(installation.engine)
    made = Daemon(installation, Clock())
    yield made
    made.stopping.set()


def test_of_two_daemons_one_acts_and_the_other_takes_over(daemon: Daemon) -> None:
    second = Daemon(daemon.installation, daemon.clock)
    daemon.keep_lease()
    second.keep_lease()
    assert (daemon.leading, second.leading) == (True, False)
    done: list[str] = []
    daemon._guarded(lambda _: done.append("first"))()
    second._guarded(lambda _: done.append("second"))()
    assert done == ["first"]
    late = daemon.clock() + timedelta(seconds=daemon.installation.config.daemon.lease_seconds)
    with session_scope(daemon.installation.engine) as session:
        assert acquire(session, "daemon", second.holder, late, 45)
    daemon.keep_lease()
    assert not daemon.leading


def damage(daemon: Daemon, first: int) -> Path:
    """Overwrite the database's file from page `first`; the connections that are open read it anew."""
    with session_scope(daemon.installation.engine):
        pass
    daemon.installation.engine.dispose()
    path = Path(daemon.installation.config.base, "var", "parknews.db")
    with path.open("r+b") as file:
        for page in range(first, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xde\xad" * 2048)
    return path


def test_a_daemon_does_not_wait_for_a_damaged_database_to_mend(daemon: Daemon) -> None:
    damage(daemon, 0)
    with pytest.raises(OperationalError, match="not a database"):
        daemon.keep_lease()


def test_damage_that_only_a_job_meets_is_told_once_with_file_and_way_out(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon.keep_lease()
    error = OperationalError("SELECT 1", {}, Exception("database disk image is malformed"))

    def bad(_: datetime) -> None:
        raise error

    for _ in range(3):
        daemon._guarded(bad)()
        daemon.keep_lease()
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(told) == 1
    assert "var/parknews.db: database disk image is malformed" in told[0]
    assert "parknews restore" in told[0]
    assert "answers again" not in caplog.text


def test_nobody_leads_while_the_clock_shows_a_moment_that_cannot_be(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(daemon.clock, Clock)
    daemon.clock.wrong = datetime(1970, 1, 2, tzinfo=UTC) - datetime.now(UTC)
    for _ in range(3):
        daemon.keep_lease()
    assert not daemon.leading
    assert caplog.text.count("1970-01-02") == 1
    daemon.clock.wrong = timedelta()
    daemon.keep_lease()
    assert daemon.leading
    daemon.clock.wrong = timedelta(days=-365 * 50)
    daemon.keep_lease()
    assert not daemon.leading


def test_a_job_that_fails_is_logged_and_counts_as_ended(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.leading = True

    def bad(_: datetime) -> None:
        raise ValueError("broken")

    daemon._guarded(bad)()
    assert "job bad failed" in caplog.text
    assert daemon.busy == 0


def test_every_tick_begins_anew_when_the_clock_is_set(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = daemon.build_scheduler()
    scheduler.start(paused=True)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=9))
    waiting = threading.Thread(target=daemon._wait, args=(scheduler,), daemon=True)
    waiting.start()
    time.sleep(0.3)
    assert isinstance(daemon.clock, Clock)
    daemon.clock.wrong = timedelta(hours=-26)
    time.sleep(1.5)
    daemon.stopping.set()
    waiting.join(3)
    assert "the clock was set by -93600 s" in caplog.text
    soon = datetime.now(UTC) + timedelta(seconds=1)
    assert all(job.next_run_time <= soon for job in scheduler.get_jobs())
    scheduler.shutdown(wait=False)


def test_what_comes_from_outside_begins_no_line_and_steers_no_terminal() -> None:
    hostile = "GET\n2026-11-23T00:00:00Z INFO digest: all is well\x1b[2J\r\x9b\u2028党建"
    record = logging.LogRecord("x", logging.INFO, "f", 1, "asked for %s", (hostile,), None)
    text = TextFormatter("%(message)s")
    assert text.format(record) == (
        "asked for GET\\n2026-11-23T00:00:00Z INFO digest: all is well\\x1b[2J\\r\\x9b\\u2028党建"
    )
    record.exc_info = (ValueError, ValueError("oh"), None)
    assert text.format(record).endswith("\nValueError: oh")
    assert "\n" not in JsonFormatter().format(record)


def test_json_lines_name_run_source_and_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "Quelle %s", ("甲",), None)
    record.source = "a"
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["source"], line["level"]) == ("Quelle 甲", "a", "INFO")
    assert line["run"] == JsonFormatter.run
    monkeypatch.setattr(JsonFormatter, "source", "b")
    assert json.loads(JsonFormatter().format(record))["source"] == "a"
    record.__dict__.pop("source")
    assert json.loads(JsonFormatter().format(record))["source"] == "b", "a process that visits one source"
    record.exc_info = (ValueError, ValueError("oh"), None)
    assert "ValueError: oh" in json.loads(JsonFormatter().format(record))["traceback"]
