"""What is due, and what a visit means for its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from store.models import Crawl, Source
from store.sources import (
    CHILD_DIED,
    Visit,
    claim_source,
    due_sources,
    finish_crawl,
    hold_sources,
    lost_visits,
    recent_crawls,
    start_crawl,
    sync_sources,
    weekly_new,
)


@dataclass
class Definition:
    name: str
    kind: str = "portal"
    publisher: str = "某报"
    enabled: bool = True
    host: str = "example.cn"
    interval_seconds: int | None = None


def visited(session: Session, source: Source, now: datetime, **given: object) -> Source:
    crawl = start_crawl(session, source.id, now)
    finish_crawl(session, crawl.id, Visit(**{"outcome": "ok", **given}), {}, now)  # type: ignore[arg-type]
    return source


def test_a_new_source_is_due_at_once_and_then_after_its_interval(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    assert due_sources(session, now) == [source]
    visited(session, source, now, new=2)
    assert (source.state, source.last_new_at, due_sources(session, now)) == ("up", now, [])
    assert due_sources(session, now + timedelta(hours=1)) == [source]


def test_a_failure_is_confirmed_soon_then_waits_double_and_a_source_is_never_given_up(
    session: Session, now: datetime
) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    waits = []
    for _ in range(8):
        visited(session, source, now, outcome="failed", reason="timeout", error="timeout: x")
        assert source.next_check_at is not None
        waits.append((source.next_check_at - now) / timedelta(hours=1))
    assert waits == [0.25, 2, 4, 8, 12, 12, 12, 12]
    assert (source.state, source.error_count, source.last_error) == ("down", 8, "timeout: x")
    visited(session, source, now)
    assert (source.state, source.error_count) == ("up", 0)


def test_an_interrupted_visit_is_repeated_soon_and_counts_as_no_failure(
    session: Session, now: datetime
) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    visited(session, source, now, outcome="interrupted", reason="closespider_timeout")
    assert (source.state, source.error_count) == ("new", 0)
    assert due_sources(session, now + timedelta(minutes=4)) == []
    assert due_sources(session, now + timedelta(minutes=5)) == [source]
    visited(session, source, now, outcome="interrupted", reason="shutdown")
    assert due_sources(session, now) == [source]


def test_a_server_that_says_when_to_come_back_is_heeded(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 60, now)["a"]
    crawl = start_crawl(session, source.id, now)
    finish_crawl(session, crawl.id, Visit(outcome="failed"), {}, now, retry_after=7200)
    assert source.next_check_at == now + timedelta(hours=2)


def test_a_source_is_claimed_by_one_only(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    seen = Source(id=source.id, next_check_at=source.next_check_at)
    assert claim_source(session, source, now, timedelta(hours=1))
    assert not claim_source(session, seen, now, timedelta(hours=1))


def test_a_source_that_left_the_file_is_paused_and_comes_back(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    visited(session, source, now)
    sync_sources(session, [], 3600, now)
    assert (source.state, source.enabled, due_sources(session, now + timedelta(days=9))) == (
        "paused",
        False,
        [],
    )
    sync_sources(session, [Definition("a")], 3600, now)
    assert (source.state, due_sources(session, now)) == ("up", [source])


def test_a_visit_that_never_ended_is_closed_by_the_next_one(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    lost = start_crawl(session, source.id, now)
    start_crawl(session, source.id, now + timedelta(hours=4))
    session.expire_all()
    assert session.get_one(Crawl, lost.id).outcome == "interrupted"


@pytest.mark.parametrize("own", [None, 120])
def test_a_sources_own_interval_comes_before_the_general_one(
    session: Session, now: datetime, own: int | None
) -> None:
    source = sync_sources(session, [Definition("a", interval_seconds=own)], 3600, now)["a"]
    assert source.interval_seconds == (own or 3600)


def test_a_claim_is_prolonged_and_a_lost_visit_is_a_failure(session: Session, now: datetime) -> None:
    sources = sync_sources(session, [Definition("a"), Definition("b")], 3600, now)
    until = now + timedelta(seconds=45)
    for source in sources.values():
        assert claim_source(session, source, now, timedelta(seconds=45))
    later = until + timedelta(seconds=15)
    hold_sources(session, ["a", "b"], until, later)
    session.expire_all()
    assert {source.next_check_at for source in sources.values()} == {later}
    crawl = start_crawl(session, sources["a"].id, now)
    visited(session, sources["b"], now, new=1)
    assert lost_visits(session, ["a", "b"], later, now) == ["a"]
    assert (crawl.outcome, crawl.reason, sources["a"].last_reason) == ("failed", CHILD_DIED, CHILD_DIED)
    assert sources["b"].state == "up"


def test_news_is_counted_by_week_and_recent_visits_are_named(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    for days, new in ((20, 2), (8, 3), (1, 4), (0.5, 1)):
        visited(session, source, now - timedelta(days=days), new=new)
    assert weekly_new(session, now, 3, [source.id]) == {source.id: [2, 3, 5]}
    assert weekly_new(session, now, 3, [source.id + 1]) == {}
    assert [name for name, _ in recent_crawls(session, 2)] == ["a", "a"]


def test_faults_stand_on_the_row_with_evidence_and_since(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    for minutes in (0, 15):
        at = now + timedelta(minutes=minutes)
        visited(session, source, at, outcome="failed", reason="certificate", error="certificate: expired")
    session.flush()
    session.expire_all()
    assert source.faults == {"certificate": {"since": now.isoformat(), "evidence": "certificate: expired"}}


def test_the_interval_follows_the_silence_of_a_source(session: Session, now: datetime) -> None:
    source = sync_sources(session, [Definition("a")], 3600, now)["a"]
    visited(session, source, now, new=3)
    waits = []
    for hours in (5, 20, 30, 100):
        moment = now + timedelta(hours=hours)
        visited(session, source, moment)
        assert source.next_check_at is not None
        waits.append((source.next_check_at - moment) / timedelta(hours=1))
    assert waits == [1, 2, 3, 4]
    visited(session, source, now + timedelta(hours=104), new=1)
    assert source.next_check_at == now + timedelta(hours=105)
