"""Eight weeks of the daemon's work under outages and clocks that are set wrong: every due thing exactly once."""

from __future__ import annotations

import os
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from digest.channels.base import Parcel
from digest.delivery import deliver_due
from digest.period import due_at
from scheduler.context import Installation
from scheduler.crawls import ChildCrawl
from scheduler.forkserver import Child
from scheduler.jobs import CrawlJob, compose_weekly, deliver
from scheduler.work import Work
from store.config import Config, ConfigError, Office, RecipientEntry
from store.config import Daemon as DaemonSection
from store.database import make_engine, read_scope, session_scope
from store.leases import acquire
from store.models import Base, Crawl, Delivery, Issue, Source
from store.sources import (
    CHILD_DIED,
    Visit,
    claim_source,
    due_sources,
    finish_crawl,
    start_crawl,
    sync_sources,
)
from tests.store.test_sources import Definition

WEEKS, START = 8, datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
#: The whole proof takes 200, at about two seconds each.
SCHEDULES = int(os.environ.get("PARKNEWS_SCHEDULES", "2"))
INTERVAL = timedelta(hours=6)


#: What the sources file says of them, where no child is started.
SOURCES: dict[str, Any] = dict.fromkeys(("a", "b", "c", "s0", "s1", "s2"))


class Instant(CrawlJob):
    """Visits its claims at once; `die` leaves them claimed, as kill -9 would."""

    die = False

    def run(self, now: datetime, sources: Mapping[str, Any] = SOURCES) -> int:
        names = [name for name, _, _ in self._claim(now, sources)]
        if self.die:
            return 0
        with session_scope(self.installation.engine) as session:
            for source in session.scalars(select(Source).where(Source.name.in_(names))):
                crawl = start_crawl(session, source.id, now)
                finish_crawl(session, crawl.id, Visit("ok"), {}, now)
        return len(names)


def frozen(now: datetime) -> Callable[[], datetime]:
    return lambda: now


@dataclass
class Postman:
    """A channel that counts what it was given."""

    name: str = "mail"
    given: Counter[tuple[str, str]] = field(default_factory=Counter)

    def open(self) -> None: ...
    def close(self) -> None: ...
    def check(self) -> None: ...

    def send(self, parcel: Parcel, before_the_dot: Callable[[], None]) -> str:
        before_the_dot()
        self.given[parcel.message_id, parcel.address] += 1
        return "250 ok"


@dataclass
class World:
    """A machine with a database that survives its outages."""

    installation: Installation
    chance: random.Random
    postman: Postman = field(default_factory=Postman)
    wrong: timedelta = timedelta()
    dues: set[datetime] = field(default_factory=set)

    def moments(self) -> Iterator[tuple[datetime, bool]]:
        """True moments at which the daemon ticks, with whether it has just been started; outages lie between them."""
        now, fresh = START, True
        while now < START + timedelta(weeks=WEEKS):
            yield now, fresh
            fresh = False
            if self.chance.random() < 0.06:
                now += timedelta(
                    hours=self.chance.choice((0.1, 1, 5, 30, 100, 220)) * self.chance.uniform(0.5, 1.5)
                )
                fresh = True
            else:
                now += timedelta(hours=self.chance.uniform(1, 8))
            due = due_at(now, self.installation.config.digest, self.installation.config.zone_info)
            if not fresh and now - due < timedelta(hours=4):
                yield due, False

    def live(self) -> None:
        work: Work | None = None
        for true, fresh in self.moments():
            if self.chance.random() < 0.05:
                self.wrong = self.chance.choice((-26, -3, -1, 0, 0, 0, 1, 3, 26)) * timedelta(hours=1)
            now = true + self.wrong
            if fresh or work is None:
                work = Work(self.installation, frozen(now), Instant(self.installation, f"d{true}"))
            assert isinstance(work.crawls, Instant)
            work.crawls.die = self.chance.random() < 0.03
            self.tick(work, now)

    def tick(self, work: Work, now: datetime) -> None:
        config = self.installation.config
        with session_scope(self.installation.engine) as session:
            sync_sources(session, DEFINITIONS, int(INTERVAL.total_seconds()), now)
        work.crawls.run(now, SOURCES)
        work.compose(now)
        self.dues.add(due_at(now, config.digest, config.zone_info))
        deliver_due(
            self.installation.engine,
            {"mail": self.postman},
            lambda row: Parcel(row.recipient.address, b"", f"<{row.issue_id}>"),
            lambda: now,
        )


DEFINITIONS = [Definition(f"s{number}", host=f"h{number}.example.cn") for number in range(3)]


def make_store(zone: str) -> Installation:
    installation = Installation(
        Config(
            office=Office(time_zone=zone), recipient=[RecipientEntry(address="a@example.cn", send_empty=True)]
        )
    )
    engine = make_engine("sqlite:///:memory:")
    Base.metadata.create_all(engine)
    installation.__dict__["engine"] = engine
    installation.config = msgspec.structs.replace(
        installation.config, crawl=msgspec.structs.replace(installation.config.crawl, sources="none")
    )
    return installation


def test_every_due_thing_happens_exactly_once_whatever_the_clock_does() -> None:
    issues = parcels = 0
    for number in range(SCHEDULES):
        world = World(make_store(("Asia/Shanghai", "Europe/Berlin")[number % 2]), random.Random(number))
        world.live()
        with read_scope(world.installation.engine) as session:
            composed = list(session.scalars(select(Issue).order_by(Issue.number)))
            rows = list(session.scalars(select(Delivery)))
        dues = [issue.due_at for issue in composed]
        expected = {due for due in world.dues if due > START - timedelta(days=7)}
        assert sorted(set(dues)) == dues, number
        assert set(dues) <= expected, number
        missing = expected - set(dues)
        assert not missing, (number, missing)
        assert all(one.period_end == two.period_start for one, two in pairwise(composed))
        assert set(world.postman.given.values()) <= {1}, number
        assert len(world.postman.given) == len(rows) == len(composed)
        issues, parcels = issues + len(composed), parcels + len(rows)
    print(f"{SCHEDULES} schedules of {WEEKS} weeks: {issues} issues and {parcels} parcels, each once")


@pytest.fixture
def installation() -> Installation:
    return make_store("Asia/Shanghai")


def test_a_source_claimed_by_a_killed_daemon_is_visited_after_one_lease(
    installation: Installation, now: datetime
) -> None:
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
    first = Instant(installation, "first")
    first.die = True
    first.run(now)
    second = Instant(installation, "second")
    lease = timedelta(seconds=installation.config.daemon.lease_seconds)
    assert second.run(now + lease - timedelta(seconds=1)) == 0
    assert second.run(now + lease) == 3


def test_claims_are_prolonged_while_a_child_lives_but_not_over_a_recorded_visit(
    installation: Installation, now: datetime
) -> None:
    job = CrawlJob(installation, "first")
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
    job.children = [
        ChildCrawl(name, host, now + job._hold, forked(b"")) for name, host, _ in job._claim(now, SOURCES)
    ]
    with session_scope(installation.engine) as session:
        source = session.scalars(select(Source).where(Source.name == "s0")).one()
        finish_crawl(session, start_crawl(session, source.id, now).id, Visit("ok"), {}, now)
    job.keep(now + timedelta(seconds=30))
    with read_scope(installation.engine) as session:
        held = {source.name: source.next_check_at for source in session.scalars(select(Source))}
        assert due_sources(session, now + timedelta(seconds=60)) == []
    assert held["s0"] == now + timedelta(hours=1)
    assert held["s1"] == now + timedelta(seconds=30) + job._hold


def names_of(claimed: list[tuple[str, str, int]]) -> list[str]:
    return [name for name, _, _ in claimed]


def test_sources_of_one_host_are_visited_one_after_the_other_with_a_rest_between(
    installation: Installation, now: datetime
) -> None:
    definitions = [Definition("a", host="x.cn"), Definition("b", host="x.cn"), Definition("c", host="y.cn")]
    with session_scope(installation.engine) as session:
        sync_sources(session, definitions, 3600, now)
        assert acquire(session, "host:y.cn", "somebody", now, 60)
    job = CrawlJob(installation, "me")
    claimed = job._claim(now, SOURCES)
    assert names_of(claimed) == ["a"]
    job.children = [ChildCrawl("a", "x.cn", now + job._hold, forked(ENDED))]
    assert names_of(job._claim(now, SOURCES)) == []
    job.run(now, {})
    assert job.children == []
    assert job.at_work, "the next one is to begin after the rest, not at the next tick"
    assert names_of(job._claim(now, SOURCES)) == [], "the host has its delay"
    with session_scope(installation.engine) as session:
        assert not acquire(session, "host:x.cn", "another", now, 60), "for everybody"
    job._rests._until.clear()
    assert names_of(job._claim(now, SOURCES)) == ["b"]


def test_a_host_whose_visit_was_ended_has_its_rest_before_another_daemon_comes(
    installation: Installation, now: datetime
) -> None:
    job = CrawlJob(installation, "me")
    job.children = [ChildCrawl("a", "x.cn", now + job._hold, forked(ENDED))]
    with session_scope(installation.engine) as session:
        assert acquire(session, "host:x.cn", "me", now, 60)
    job.close(frozen(now))
    delay = timedelta(seconds=installation.config.crawl.delay)
    with session_scope(installation.engine) as session:
        assert not acquire(session, "host:x.cn", "another", now + delay * 0.9, 60)
        assert acquire(session, "host:x.cn", "another", now + delay, 60)


def test_at_a_moment_that_cannot_be_nothing_is_composed_and_nothing_sent(installation: Installation) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    with pytest.raises(ConfigError, match="1970"):
        compose_weekly(installation, moment)
    with pytest.raises(ConfigError, match="1970"):
        deliver(installation, frozen(moment))
    with read_scope(installation.engine) as session:
        assert session.scalars(select(Issue)).all() == []


def test_a_source_the_file_does_not_name_keeps_no_other_from_its_visit(
    installation: Installation, now: datetime
) -> None:
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
    assert names_of(CrawlJob(installation, "me")._claim(now, ["s1", "s2"])) == ["s1", "s2"]


def test_no_more_crawls_run_at_once_than_configured(installation: Installation, now: datetime) -> None:
    installation.config = msgspec.structs.replace(installation.config, daemon=DaemonSection(crawls_at_once=2))
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
    job = CrawlJob(installation, "me")
    job.children = [ChildCrawl("other", "", now, forked(b""))]
    assert names_of(job._claim(now, SOURCES)) == ["s0"]


ENDED = b'{"ended": -11, "cpu": 0.1}\n'


def forked(said: bytes) -> Child:
    """A child that has said this; it runs for as long as the other end is open, which the child then keeps."""
    ours, theirs = socket.socketpair()
    theirs.sendall(said)
    child = Child(ours)
    child.__dict__["other_end"] = theirs
    return child


def test_a_child_that_died_without_a_word_counts_as_a_failure_of_its_source(
    installation: Installation, now: datetime
) -> None:
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS[:1], 3600, now)
    job = CrawlJob(installation, "me")
    [(name, host, _)] = job._claim(now, SOURCES)
    job.children = [ChildCrawl(name, host, now + job._hold, forked(ENDED))]
    job.run(now, {})
    with read_scope(installation.engine) as session:
        source = session.scalars(select(Source)).one()
        assert (source.error_count, source.last_reason, source.state) == (1, CHILD_DIED, "down")
        assert [crawl.outcome for crawl in session.scalars(select(Crawl))] == ["failed"]
    with session_scope(installation.engine) as session:
        assert acquire(session, "host:h0.example.cn", "another", now + timedelta(seconds=1), 60)


def test_an_overdue_issue_waits_for_sources_nobody_could_visit_but_not_for_ever(
    installation: Installation, now: datetime
) -> None:
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
    started = now + timedelta(minutes=1)
    work = Work(installation, lambda: started, CrawlJob(installation, "me"), led_since=started)
    work._files.follow(installation, started)
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)  # the file, which is not there, named none
    work.compose(started)
    with read_scope(installation.engine) as session:
        assert session.scalars(select(Issue)).all() == []
    work.compose(started + timedelta(minutes=15))
    with read_scope(installation.engine) as session:
        assert len(session.scalars(select(Issue)).all()) == 1


def test_a_clock_that_ran_ahead_makes_sources_due_again_when_it_is_set_right(
    installation: Installation, now: datetime
) -> None:
    ahead = now + timedelta(days=400)
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, ahead)
    Instant(installation, "me").run(ahead)
    with session_scope(installation.engine) as session:
        sync_sources(session, DEFINITIONS, 3600, now)
        assert len(due_sources(session, now)) == 3
        assert acquire(session, "daemon", "dead", ahead, 45)
        assert acquire(session, "daemon", "alive", now, 45)
        assert claim_source(session, due_sources(session, now)[0], now, timedelta(minutes=1))
