"""How often the daemon's ticks try what failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scheduler.context import Store
from scheduler.jobs import CrawlJob
from scheduler.work import Work
from store.config import Config, Mail
from store.schema import ensure
from tests.digest.smtp_servers import ScriptedServer
from tests.scheduler.test_monitors import add_issue


@pytest.fixture
def work(tmp_path: Path, now: datetime) -> Work:
    """An office whose one recipient waits for an issue."""
    store = Store(Config(base=str(tmp_path)))
    ensure(store.engine)
    add_issue(store, now)
    return Work(store, lambda: now, CrawlJob(store, "test"))


def minutes_of_attempts(work: Work, now: datetime, server: ScriptedServer, user: str = "") -> list[int]:
    """Let a tick come every half minute of two hours; return the minutes in which the server was connected to."""
    given = Mail(host="127.0.0.1", port=server.port, security="none", sender="office@example.cn", user=user)
    work.store.__dict__["config"] = Config(base=work.store.config.base, mail=given)
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
