"""The daemon reads bounces once an hour, whoever asks, and no trouble with them keeps it from sending."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from scheduler.context import Installation
from scheduler.jobs import CrawlJob, hourly_bounces, note_trouble, take_in_bounces
from scheduler.work import Work
from store.alerts import open_alerts
from store.config import Bounces, Config
from store.database import read_scope


@pytest.fixture
def installation(sqlite_engine: Engine, tmp_path: Path) -> Installation:
    made = Installation(Config(base=str(tmp_path), bounces=Bounces(folder="b")))
    made.__dict__["engine"] = sqlite_engine  # a cached property
    (tmp_path / "b").mkdir()
    return made


def waiting(installation: Installation) -> int:
    return len(list(installation.config.resolve("b").glob("*.eml")))


def put(installation: Installation) -> None:
    (installation.config.resolve("b") / "1.eml").write_bytes(b"Subject: lunch?\r\n\r\nat noon\r\n")


def test_bounces_are_read_once_an_hour_whoever_asks(installation: Installation, now: datetime) -> None:
    put(installation)
    hourly_bounces(installation, now)
    assert waiting(installation) == 0
    put(installation)
    hourly_bounces(installation, now + timedelta(minutes=59))
    assert waiting(installation) == 1
    hourly_bounces(installation, now + timedelta(minutes=61))
    assert waiting(installation) == 0


def test_a_folder_that_cannot_be_read_does_not_keep_mails_from_going(
    installation: Installation, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    put(installation)
    (installation.config.resolve("b") / "other").write_text("no folder")
    Work(installation, lambda: now, CrawlJob(installation, "test")).deliver(now, lambda: False)
    assert "bounces cannot be read" in caplog.text


def test_trouble_is_an_alert_until_it_is_over(installation: Installation, now: datetime) -> None:
    note_trouble(installation, "delivery_stopped", "the server refused the login", now)
    note_trouble(installation, "delivery_stopped", "the server hung up", now)
    with read_scope(installation.engine) as session:
        assert [(alert.kind, alert.detail) for alert in open_alerts(session)] == [
            ("delivery_stopped", "the server hung up")
        ]
    note_trouble(installation, "delivery_stopped", "", now)
    with read_scope(installation.engine) as session:
        assert open_alerts(session) == []


def test_reading_an_empty_folder_counts_nothing(installation: Installation, now: datetime) -> None:
    assert take_in_bounces(installation, now).total() == 0
