"""Leases: one holder at a time, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from store.alerts import clear_alert, is_news, mark_told, open_alerts, raise_alert, unreported
from store.database import session_scope
from store.leases import acquire, holder_of, release, rest


def test_a_lease_is_held_until_it_expires_or_is_given_up(session: Session, now: datetime) -> None:
    assert acquire(session, "daemon", "a", now, 60)
    assert acquire(session, "daemon", "a", now, 60)
    assert not acquire(session, "daemon", "b", now + timedelta(seconds=59), 60)
    assert acquire(session, "daemon", "b", now + timedelta(seconds=60), 60)
    release(session, "daemon", "a")
    assert holder_of(session, "daemon", now) == "b"
    release(session, "daemon", "b")
    assert holder_of(session, "daemon", now) is None


def test_a_lease_that_rests_is_nobody_s_for_so_long_and_one_without_a_rest_is_free(
    session: Session, now: datetime
) -> None:
    for seconds in (2, 0):
        assert acquire(session, "host:x.cn", "a", now, 60)
        rest(session, "host:x.cn", "a", now, seconds)
        assert acquire(session, "host:x.cn", "b", now + timedelta(seconds=1), 60) is (seconds == 0)
        rest(session, "host:x.cn", "a", now, 0)
        rest(session, "host:x.cn", "b", now, 0)


def test_of_many_that_ask_at_once_one_gets_it(engine: Engine, now: datetime) -> None:
    def ask(name: int) -> bool:
        with session_scope(engine) as session:
            return acquire(session, "host:example.cn", str(name), now, 60)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(24))) == 1


def test_an_alert_is_raised_once_and_cleared_once(session: Session, now: datetime) -> None:
    assert raise_alert(session, "unreachable", "a", "timeout", now)
    assert not raise_alert(session, "unreachable", "a", "timeout again", now)
    assert [alert.detail for alert in open_alerts(session)] == ["timeout again"]
    (alert,) = unreported(session)
    mark_told(session, {alert.id: "raised"}, ["op", "wecom"], "op", now)
    assert (is_news(alert, "op"), is_news(alert, "wecom")) == (False, True)
    mark_told(session, {alert.id: "raised"}, ["op", "wecom"], "wecom", now)
    assert unreported(session) == []
    assert clear_alert(session, "unreachable", "a", now)
    assert not clear_alert(session, "unreachable", "a", now)
    assert unreported(session) == [alert]
    assert is_news(alert, "op")
    mark_told(session, {alert.id: "cleared"}, ["op"], "op", now)
    assert unreported(session) == []


def test_a_trouble_that_came_and_went_untold_stays_untold(session: Session, now: datetime) -> None:
    raise_alert(session, "unreachable", "a", "", now)
    clear_alert(session, "unreachable", "a", now)
    (alert,) = unreported(session)
    assert not is_news(alert, "op")
    mark_told(session, {alert.id: "cleared"}, ["op"], "", now)
    assert unreported(session) == []


def test_a_lease_written_under_a_clock_far_ahead_is_nobodys(session: Session, now: datetime) -> None:
    assert acquire(session, "daemon", "dead", now + timedelta(days=300), 45)
    assert acquire(session, "daemon", "alive", now, 45)
    assert not acquire(session, "daemon", "skewed", now - timedelta(minutes=4), 45)
