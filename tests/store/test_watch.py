"""A year of a hundred invented sources, each with its own rhythm and habits, into which faults of every kind are put."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from store.watch import FAULTS, Look, Memory, name_failure, state_of, watch
from store.working_days import is_working_day, working_days

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 365
YEARS = (1, 4)
SOURCE_WEEKS = len(YEARS) * 100 * 52
#: Kinds that a failed visit shows, and those that need news to be seen.
AT_ONCE = ("unreachable", "refused", "certificate", "robots_changed", "redirected_home", "no_links")
SLOW = (
    "frozen",
    "flooded",
    "encoding_broken",
    "all_irrelevant",
    "dates_missing",
    "no_bodies",
    "no_publisher",
)
REASONS = {
    "unreachable": ("timeout", "dns", "http_503", "connection_lost", "http_404"),
    "refused": ("http_403", "http_412", "captcha"),
    "certificate": ("certificate",),
    "robots_changed": ("robots",),
    "no_links": ("no_links",),
}
NAMED = {"no_links": "layout_changed", "no_bodies": "layout_changed", "no_publisher": "layout_changed"}


@dataclass
class Injected:
    kind: str
    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        return NAMED.get(self.kind, self.kind)


@dataclass
class Sample:
    """A source: articles per working day, how regular, visits a day, the shares of its articles that have a field."""

    chance: random.Random
    rate: float
    regular: bool
    visits: int
    shares: dict[str, float]
    faults: list[Injected] = field(default_factory=list)
    longest: int = 0

    def news(self, day: date) -> int:
        if not is_working_day(day):
            return self._poisson(self.rate * 0.1)
        if self.regular:
            return max(1, round(self.rate * self.chance.uniform(0.5, 1.5)))
        return self._poisson(self.rate)

    def _poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self.chance.random(), 0
        while product > limit:
            product *= self.chance.random()
            count += 1
        return count

    def looks(self) -> Iterator[tuple[Look, Injected | None]]:
        backlog = 0
        for number in range(DAYS):
            day = START + timedelta(days=number)
            share = [self.news(day.date() + timedelta(days=0))]
            hours = sorted(self.chance.sample(range(24), self.visits))
            parts = Counter(self.chance.randrange(self.visits) for _ in range(share[0]))
            for place, hour in enumerate(hours):
                at = day + timedelta(hours=hour, minutes=self.chance.randrange(60))
                fault = next((one for one in self.faults if one.start <= at < one.end), None)
                backlog += parts[place]
                look = self.look(at, backlog, fault)
                if look.outcome == "ok" and not look.home:
                    backlog = 0
                yield look, fault
                if look.outcome == "failed" and not fault:  # a hiccup; confirmed a quarter of an hour later
                    yield self.look(at + timedelta(minutes=15), backlog, None, hiccups=False), None
                    backlog = 0

    def look(self, at: datetime, news: int, fault: Injected | None, *, hiccups: bool = True) -> Look:
        kind = fault.kind if fault else ""
        if kind in REASONS:
            reason = self.chance.choice(REASONS[kind])
            return Look(at=at, outcome="failed", reason=reason, detail=f"{reason}: x")
        if hiccups and self.chance.random() < 0.004:
            return Look(at=at, outcome="failed", reason=self.chance.choice(REASONS["unreachable"]))
        if kind == "redirected_home":
            return Look(at=at, outcome="ok", home="https://www.example.cn/", new=news)
        if kind == "frozen":
            return Look(at=at, outcome="ok")
        if kind == "flooded":
            news = news + 400
        shares = dict(self.shares)
        lost = {"encoding_broken": "clean", "all_irrelevant": "relevant", "dates_missing": "dated"}
        lost |= {"no_bodies": "bodied", "no_publisher": "named"}
        if kind in lost:
            shares[lost[kind]] = 0.0
        bodied = self._some(news, shares["bodied"])
        have: dict[str, Any] = {
            name: self._some(bodied, shares[name]) for name in ("named", "dated", "clean", "relevant")
        }
        return Look(at=at, outcome="ok", new=bodied, pages=news, bodied=bodied, articles=bodied, **have)

    def _some(self, count: int, share: float) -> int:
        return (
            sum(self.chance.random() < share for _ in range(count)) if 0 < share < 1 else int(count * share)
        )


def make_samples(seed: int, count: int) -> list[Sample]:
    chance = random.Random(seed)
    samples = []
    for number in range(count):
        kinds = AT_ONCE + SLOW
        kind = kinds[number % len(kinds)]
        rate = chance.choice((0.3, 1, 2, 4, 8, 15))
        if kind in SLOW:
            rate = max(rate, 2)  # what is to be seen in a week's news needs a week's news
        shares = {
            "bodied": chance.uniform(0.93, 1),
            "named": chance.uniform(0.85, 1),
            "dated": chance.choice((1, 0.97)),
            "clean": chance.choice((1, 0.995)),
            "relevant": chance.uniform(0.5, 0.95) if kind == "all_irrelevant" else chance.uniform(0.0, 0.9),
        }
        sample = Sample(
            random.Random(seed * 1000 + number), rate, chance.random() < 0.4, chance.choice((3, 4, 6)), shares
        )
        for first in (chance.randrange(70, 120), chance.randrange(210, 250)):
            start = START + timedelta(days=first, hours=chance.randrange(24))
            days = 60 if kind == "frozen" else chance.randrange(15, 25)
            sample.faults.append(Injected(kind, start, start + timedelta(days=days)))
        samples.append(sample)
    return samples


def next_issue(moment: datetime) -> datetime:
    """The first Monday 00:00 UTC (08:00 in Shanghai) after `moment`."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=7 - day.weekday())


def expected_by(sample: Sample, one: Injected, longest: int) -> datetime:
    """When it must be named: the first issue after it could be seen: two visits, and, for what shows in articles, fifteen of them."""
    if one.kind in AT_ONCE:
        return next_issue(one.start + timedelta(days=1))
    if one.kind == "frozen":
        silent, moment = 0, one.start
        while silent <= max(4, 2 * longest):
            moment += timedelta(days=1)
            silent += is_working_day(moment.date())
        return next_issue(moment)
    brought, moment = 0.0, one.start
    while brought < 15:
        moment += timedelta(days=1)
        brought += sample.rate * is_working_day(moment.date())
    return next_issue(moment)


@dataclass
class Outcome:
    injected: int = 0
    named: int = 0
    within_one_run: int = 0
    failing: int = 0
    recovered: int = 0
    others: int = 0
    false_alarms: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)


def follow(sample: Sample, outcome: Outcome) -> None:
    memory = Memory()
    events: list[tuple[datetime, str, str, Injected | None]] = []
    runs = 0
    first_seen: dict[int, int] = {}
    longest = 0
    recent: Injected | None = None
    before: set[str] = set()
    for look, fault in sample.looks():
        watch(memory, look)
        recent = fault or recent
        if not fault and not memory.faults:
            longest = max(longest, memory.silence)
        runs = runs + 1 if fault else 0
        now = set(memory.faults)
        for kind in now - before:
            events.append((look.at, "raised", kind, recent))
            if fault and kind == fault.name:
                first_seen.setdefault(id(fault), runs)
        events.extend((look.at, "cleared", kind, recent) for kind in before - now)
        before = now
    for one in sample.faults:
        judge(sample, one, events, longest, outcome)
        if one.kind in AT_ONCE:
            outcome.failing += 1
            outcome.within_one_run += first_seen.get(id(one), 99) <= 2
    for at, what, kind, _ in events:
        if what != "raised":
            continue
        near = [one for one in sample.faults if one.start <= at < one.end + timedelta(days=8)]
        outcome.others += any(kind != one.name for one in near)
        if not near:
            outcome.false_alarms += 1
            outcome.wrong.append(f"{kind} at {at:%m-%d}, rate {sample.rate}, regular {sample.regular}")


def judge(sample: Sample, one: Injected, events: list[Any], longest: int, outcome: Outcome) -> None:
    outcome.injected += 1
    raised = [
        at
        for at, what, kind, _ in events
        if what == "raised" and kind == one.name and one.start <= at < one.end
    ]
    if raised and raised[0] <= min(expected_by(sample, one, longest), one.end):
        outcome.named += 1
    else:
        outcome.missed.append(
            f"{one.kind} from {one.start:%m-%d}: {raised[:1]}, rate {sample.rate} {sample.shares}"
        )
    cleared = [
        at for at, what, kind, _ in events if what == "cleared" and kind == one.name and at >= one.start
    ]
    cleared = [at for at in cleared if at < one.end + timedelta(days=60)]
    outcome.recovered += bool(cleared)
    if len(raised) > 1 or len(cleared) > 1:
        outcome.repeated.append(f"{one.kind} raised {raised} cleared {cleared}, rate {sample.rate}")


@pytest.fixture(scope="module")
def year() -> Outcome:
    outcome = Outcome()
    started = time.monotonic()
    for seed in YEARS:
        for sample in make_samples(seed, 100):
            follow(sample, outcome)
    print(
        f"{outcome.injected} faults: {outcome.named} named in time, {outcome.within_one_run}/{outcome.failing} within one run,"
        f" {outcome.recovered} recoveries, {len(outcome.repeated)} repeated, {outcome.others} other words beside the right one, {outcome.false_alarms} false alarms in"
        f" {SOURCE_WEEKS} source-weeks, {time.monotonic() - started:.1f} s"
    )
    for line in outcome.missed + outcome.wrong + outcome.repeated:
        print("   ", line)
    return outcome


def test_every_kind_is_named_by_the_next_issue(year: Outcome) -> None:
    assert year.named >= 0.99 * year.injected, year.missed


def test_what_fails_is_told_of_within_one_run(year: Outcome) -> None:
    assert year.within_one_run >= 0.99 * year.failing


def test_at_most_one_false_alarm_in_200_source_weeks(year: Outcome) -> None:
    assert year.false_alarms <= SOURCE_WEEKS / 200, year.wrong


def test_each_recovery_is_reported_once(year: Outcome) -> None:
    assert (year.recovered, year.repeated) == (year.injected, [])


def ok(days: float, **given: object) -> Look:
    return Look(at=START + timedelta(days=days), outcome="ok", **given)  # type: ignore[arg-type]


def failed(days: float, reason: str) -> Look:
    return Look(at=START + timedelta(days=days), outcome="failed", reason=reason, detail=f"{reason}: x")


def after(*looks: Look) -> Memory:
    memory = Memory()
    for look in looks:
        watch(memory, look)
    return memory


def test_one_failure_is_a_hiccup_and_two_are_a_fault_since_the_first() -> None:
    assert after(ok(0), failed(1, "timeout")).faults == {}
    memory = after(ok(0), failed(1, "timeout"), failed(2, "timeout"))
    assert memory.faults["unreachable"].since == START + timedelta(days=1)
    assert (state_of(memory), memory.faults["unreachable"].evidence) == ("down", "timeout: x")


def test_a_fault_is_over_after_two_visits_that_succeed() -> None:
    bad = [failed(0, "certificate"), failed(0.1, "certificate")]
    assert set(after(*bad, ok(1)).faults) == {"certificate"}
    assert after(*bad, ok(1), ok(2)).faults == {}


def test_a_site_that_stumbles_over_several_reasons_keeps_its_first_word_until_another_one_stays() -> None:
    looks = [failed(0, "timeout"), failed(0.1, "dns"), failed(0.2, "http_403")]
    assert set(after(*looks).faults) == {"unreachable"}
    assert set(after(*looks, failed(0.3, "http_403"), failed(0.4, "http_403")).faults) == {"refused"}


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("http_503", "unreachable"),
        ("http_412", "refused"),
        ("captcha", "refused"),
        ("robots", "robots_changed"),
        ("certificate", "certificate"),
        ("no_links", "layout_changed"),
        ("child_died", "crawl_failed"),
    ],
)
def test_reasons_of_crawls_have_a_name(reason: str, fault: str) -> None:
    assert name_failure(reason) == fault
    assert fault in FAULTS


def test_a_part_that_keeps_failing_is_told_of() -> None:
    part = [
        Look(at=START + timedelta(days=n), outcome="degraded", reason="http_404", detail="x")
        for n in range(3)
    ]
    memory = after(*part)
    assert memory.faults["unreachable"].evidence == "a part of it fails: x"
    assert state_of(memory) == "up"
    assert after(*part, ok(4), ok(5)).faults == {}


def test_interrupted_visits_say_nothing() -> None:
    assert after(Look(at=START, outcome="interrupted", reason="shutdown")) == Memory()


def test_a_source_that_keeps_its_rhythm_is_late_before_it_is_frozen() -> None:
    weekly = [ok(7 * week, new=2) for week in range(20)]
    looks = [
        look for week in range(20) for look in (weekly[week], *(ok(7 * week + day) for day in range(1, 7)))
    ]
    states = {day: after(*looks, *(ok(140 + n) for n in range(day))) for day in (2, 14, 60)}
    assert [state_of(memory) for memory in states.values()] == ["up", "late", "late"]
    assert ["frozen" in memory.faults for memory in states.values()] == [False, True, True]
    assert "its rhythm allows" in states[60].faults["frozen"].evidence


def test_days_nobody_looked_are_not_held_against_a_source() -> None:
    daily = [ok(day, new=1) for day in range(60)]
    assert after(*daily, ok(90)).faults == {}


def test_memory_survives_its_way_through_the_database_and_stays_small() -> None:
    memory = Memory()
    for look, _ in make_samples(3, 1)[0].looks():
        watch(memory, look)
    kept = msgspec.json.encode(msgspec.to_builtins(memory))
    assert len(kept) < 6000
    assert msgspec.convert(msgspec.json.decode(kept), Memory) == memory


def test_the_long_holidays_are_no_working_days() -> None:
    assert working_days(date(2026, 2, 13), date(2026, 2, 26)) == 0
    assert working_days(date(2026, 9, 30), date(2026, 10, 9)) == 1
    assert working_days(date(2026, 11, 20), date(2026, 11, 23)) == 1
    assert working_days(date(2020, 1, 1), date(2026, 1, 1)) > 1500
