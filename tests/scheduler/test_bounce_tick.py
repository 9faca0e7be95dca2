"""The daemon reads bounces once an hour, whoever asks, and no trouble with them keeps it from sending."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from scheduler.context import Store
from scheduler.jobs import CrawlJob, hourly_bounces, note_trouble, take_in_bounces
from scheduler.work import Work
from store.alerts import open_alerts
from store.config import Bounces, Config
from store.database import read_scope


@pytest.fixture
def store(sqlite_engine: Engine, tmp_path: Path) -> Store:
    made = Store(Config(base=str(tmp_path), bounces=Bounces(folder="b")))
    made.__dict__["engine"] = sqlite_engine  # a cached property
    (tmp_path / "b").mkdir()
    return made


def waiting(store: Store) -> int:
    return len(list(store.config.resolve("b").glob("*.eml")))


def put(store: Store) -> None:
    (store.config.resolve("b") / "1.eml").write_bytes(b"Subject: lunch?\r\n\r\nat noon\r\n")


def test_bounces_are_read_once_an_hour_whoever_asks(store: Store, now: datetime) -> None:
    put(store)
    hourly_bounces(store, now)
    assert waiting(store) == 0
    put(store)
    hourly_bounces(store, now + timedelta(minutes=59))
    assert waiting(store) == 1
    hourly_bounces(store, now + timedelta(minutes=61))
    assert waiting(store) == 0


def test_a_folder_that_cannot_be_read_does_not_keep_mails_from_going(
    store: Store, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    put(store)
    (store.config.resolve("b") / "other").write_text("no folder")
    Work(store, lambda: now, CrawlJob(store, "test")).deliver(now, lambda: False)
    assert "bounces cannot be read" in caplog.text


def test_trouble_is_an_alert_until_it_is_over(store: Store, now: datetime) -> None:
    note_trouble(store, "delivery_stopped", "the server refused the login", now)
    note_trouble(store, "delivery_stopped", "the server hung up", now)
    with read_scope(store.engine) as session:
        assert [(alert.kind, alert.detail) for alert in open_alerts(session)] == [
            ("delivery_stopped", "the server hung up")
        ]
    note_trouble(store, "delivery_stopped", "", now)
    with read_scope(store.engine) as session:
        assert open_alerts(session) == []


def test_reading_an_empty_folder_counts_nothing(store: Store, now: datetime) -> None:
    assert take_in_bounces(store, now).total() == 0
