"""How often the daemon's ticks try what failed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scheduler.context import Installation
from scheduler.jobs import CrawlJob
from scheduler.work import Work
from store.config import Config, Mail
from store.schema import ensure
from tests.digest.smtp_servers import ScriptedServer
from tests.scheduler.test_monitors import add_issue


@pytest.fixture
def work(tmp_path: Path, now: datetime) -> Work:
    """An office whose one recipient waits for an issue."""
    installation = Installation(Config(base=str(tmp_path)))
    ensure(installation.engine)
    add_issue(installation, now)
    return Work(installation, lambda: now, CrawlJob(installation, "test"))


def minutes_of_attempts(work: Work, now: datetime, server: ScriptedServer, user: str = "") -> list[int]:
    """Let a tick come every half minute of two hours; return the minutes in which the server was connected to."""
    given = Mail(host="127.0.0.1", port=server.port, security="none", sender="office@example.cn", user=user)
    work.installation.__dict__["config"] = Config(base=work.installation.config.base, mail=given)
    minutes, before = [], 0
    for tick in range(240):
        work._send(now + timedelta(seconds=30 * tick), lambda: False)
        if server.connections > before:
            minutes.append(tick // 2)
        before = server.connections
    return minutes


def test_a_refused_login_is_not_tried_often_lest_the_account_be_locked(
    work: Work, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKNEWS_MAIL_PASSWORD", "wrong")
    script = {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 5.7.8 authentication failed\r\n"}
    with ScriptedServer(script) as server:
        assert minutes_of_attempts(work, now, server, user="office@example.cn") == [0, 10, 30, 70]


def test_a_server_that_is_too_busy_is_tried_every_ten_minutes_at_last(work: Work, now: datetime) -> None:
    with ScriptedServer({"greeting": b"421 too busy\r\n"}) as server:
        attempts = minutes_of_attempts(work, now, server)
    assert attempts[:6] == [0, 0, 1, 3, 7, 15]
    assert attempts[6:] == list(range(25, 120, 10))


TICKS = """
import json, sys
from datetime import UTC, datetime
from crawler.context import utc_now
from scheduler.commands.daemon import daemon_command
from scheduler.context import Installation
from scheduler.daemon import Daemon
from store.config import Config
daemon = Daemon(Installation(Config(base=sys.argv[1])), utc_now)
work, now = daemon.work, utc_now()
work.compose(now), work.deliver(now, lambda: False), work.watch(now), work.prune(now), work.settle(now)
work.read_scans(now, lambda: False)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_daemon_does_not_hold_what_only_its_children_and_few_offices_need(work: Work) -> None:
    work.installation.engine.dispose()
    command = [sys.executable, "-c", TICKS, work.installation.config.base]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    needless = {"alembic", "cryptography", "docx", "pypdfium2", "scrapy", "twisted"}
    assert not needless & set(json.loads(done.stdout)), done.stderr


def test_a_faulty_sources_file_is_told_of_once_by_all_ticks(
    work: Work, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    Path(work.installation.config.base, "sources.toml").write_text("[[source]]\nname = 3\n", encoding="utf-8")
    for _ in range(3):
        work.crawl(now, lambda: True)
        work.read_scans(now, lambda: False)
    assert len([one for one in caplog.records if "sources.toml" in one.getMessage()]) == 1
