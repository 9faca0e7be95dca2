"""The watch: what a source's visits say about its health. Pure: a memory of fixed size is carried from visit to visit.

Every source has its own rhythm, learnt from when it published before, in working days; and its own habits, learnt from what
its articles used to have. A fault is named when a visit does not fit them, with what was seen and since when; it stands until
visits fit again. Figures: tests/store/test_watch.py, 100 invented sources over a year.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

import msgspec

from store.working_days import working_days

#: Visits in a row that must fail, and then succeed, before it is told: one alone is a hiccup of the net.
CONFIRM = 2
#: Visits in a row of which some lists or most articles failed before that counts as a fault.
PARTLY = 3
#: Publishing days after which a rhythm is known, and the silence (working days) that is a fault until then.
KNOWN_GAPS, UNKNOWN_LIMIT = 6, 20
#: Silence beyond mean + deviations counts: `late` is a state, `frozen` a fault. For gaps at random (deviation = mean) seven
#: deviations are passed once in 3,000 gaps; a strictly daily source is told of after the least number of working days.
LATE_DEVIATIONS, FROZEN_DEVIATIONS = 4.0, 7.0
LEAST_SILENCE, MOST_SILENCE = 3, 40
#: A day with this many new articles and this many times the most ever had is a flood.
FLOOD_LEAST, FLOOD_TIMES = 30, 5
#: Evidence (log-likelihood ratio, nats) that a share has fallen; relevance comes in waves and needs more.
EVIDENCE, EVIDENCE_RELEVANT = 12.0, 14.0
#: Articles that must be known before their habits are; a habit is what at least this share has.
KNOWN_ARTICLES, HABIT, HABIT_RELEVANT = 20, 0.5, 0.05
#: Entries of the sliding window, and articles after which what was learnt is halved, so that habits may change.
WINDOW, MEMORY = 40, 400

#: field of an article -> the fault that its absence means
FIELD_FAULTS = {
    "bodied": "layout_changed",
    "named": "layout_changed",
    "dated": "dates_missing",
    "clean": "encoding_broken",
    "relevant": "all_irrelevant",
}
FIELD_WORDS = {
    "bodied": "pages gave no article text",
    "named": "articles name no publisher",
    "dated": "articles have no date",
    "clean": "articles hold replacement characters",
    "relevant": "new articles are not relevant",
}
FAULTS = (
    "unreachable",
    "refused",
    "certificate",
    "redirected_home",
    "robots_changed",
    "layout_changed",
    "frozen",
    "flooded",
    "encoding_broken",
    "all_irrelevant",
    "dates_missing",
    "crawl_failed",
)
_REFUSED = frozenset(
    {"http_401", "http_403", "http_405", "http_412", "http_418", "http_429", "http_451", "captcha"}
)
_LAYOUT = frozenset(
    {"no_links", "no_list", "list_page", "empty", "script_shell", "bad_xml", "no_text", "no_title", "binary"}
)
_OURS = frozenset({"child_died", "exception", "memusage_exceeded"})


class Look(msgspec.Struct, frozen=True):
    """One visit as the watch sees it. The counts after `new` are over articles that were new in this visit.

    `pages` are article pages read, `bodied` those of them that gave text; `home`: every list led to the site's home page.
    """

    at: datetime
    outcome: str
    reason: str = ""
    detail: str = ""
    new: int = 0
    pages: int = 0
    bodied: int = 0
    articles: int = 0
    named: int = 0
    dated: int = 0
    clean: int = 0
    relevant: int = 0
    home: str = ""


class Counted(msgspec.Struct):
    """Counts of a stretch of visits."""

    day: str = ""
    pages: int = 0
    bodied: int = 0
    articles: int = 0
    named: int = 0
    dated: int = 0
    clean: int = 0
    relevant: int = 0

    def total(self, name: str) -> int:
        return self.pages if name == "bodied" else self.articles

    def add(self, other: Counted | Look, sign: int = 1) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))

    def halve(self) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) // 2)


_COUNTS = ("pages", "bodied", "articles", "named", "dated", "clean", "relevant")


class Fault(msgspec.Struct):
    """A standing fault: when it was first seen and what was seen last."""

    since: datetime
    evidence: str


class Memory(msgspec.Struct):
    """What is carried from visit to visit; about 3 KB of JSON at most."""

    first: datetime | None = None
    last: datetime | None = None
    #: failing, succeeding, partly failing and home-going visits in a row
    failures: int = 0
    successes: int = 0
    partly: int = 0
    homes: int = 0
    #: failures in a row of another kind than the one that stands
    other: int = 0
    began: datetime | None = None
    #: distances between publishing days: number, mean, sum of squared deviations, longest
    gaps: int = 0
    mean: float = 0.0
    squares: float = 0.0
    longest: int = 0
    published: datetime | None = None
    silence: int = 0
    #: new articles of the current day, the most of any day, the last flood
    today: int = 0
    most: int = 0
    flooded_at: datetime | None = None
    base: Counted = msgspec.field(default_factory=Counted)
    window: list[Counted] = msgspec.field(default_factory=list)
    faults: dict[str, Fault] = msgspec.field(default_factory=dict)
    #: fields whose fall stands behind a fault
    fallen: dict[str, datetime] = msgspec.field(default_factory=dict)

    def limit(self, deviations: float) -> float:
        """Return the silence in working days that does not fit this source's rhythm."""
        if self.gaps < KNOWN_GAPS:
            return UNKNOWN_LIMIT
        spread = math.sqrt(self.squares / self.gaps)
        return min(max(self.mean + deviations * spread, 1.3 * self.longest, LEAST_SILENCE), MOST_SILENCE)


def state_of(memory: Memory) -> str:
    """Return new, up, late or down; paused is decided elsewhere."""
    if memory.failures:
        return "down"
    if memory.last is None:
        return "new"
    return "late" if memory.silence > memory.limit(LATE_DEVIATIONS) else "up"


def watch(memory: Memory, look: Look) -> Memory:
    """Take a visit in: `memory` is changed and returned. Interrupted visits say nothing."""
    if look.outcome not in {"ok", "degraded", "failed"}:
        return memory
    memory.first = memory.first or look.at
    if look.outcome == "failed":
        _failed(memory, look)
    else:
        _read(memory, look)
    return memory


def name_failure(reason: str) -> str:
    """Return the fault that a crawl's reason word means."""
    if reason in _REFUSED:
        return "refused"
    if reason in _LAYOUT:
        return "layout_changed"
    if reason == "robots":
        return "robots_changed"
    if reason in _OURS:
        return "crawl_failed"
    return "certificate" if reason == "certificate" else "unreachable"


def _raise(memory: Memory, kind: str, since: datetime, evidence: str) -> None:
    standing = memory.faults.get(kind)
    memory.faults[kind] = Fault(standing.since if standing else since, evidence)


_HARD = ("unreachable", "refused", "certificate", "robots_changed", "crawl_failed")


def _failed(memory: Memory, look: Look) -> None:
    memory.successes = 0
    memory.failures += 1
    if memory.failures == 1:
        memory.began = look.at
    if memory.failures < CONFIRM:
        return
    kind = name_failure(look.reason)
    evidence = look.detail or look.reason
    if kind == "layout_changed":
        evidence = f"the lists led to no article ({look.reason})"
    if kind != "layout_changed" and (
        standing := next((name for name in _HARD if name in memory.faults), None)
    ):
        memory.other = memory.other + 1 if kind != standing else 0
        if memory.other < PARTLY:
            kind = standing
    _drop(memory, *(name for name in _HARD if name != kind))
    _raise(memory, kind, memory.began or look.at, evidence)


def _drop(memory: Memory, *kinds: str) -> None:
    for kind in kinds:
        memory.faults.pop(kind, None)


def _read(memory: Memory, look: Look) -> None:
    memory.failures = 0
    memory.successes += 1
    memory.partly = memory.partly + 1 if look.outcome == "degraded" else 0
    if memory.partly >= PARTLY:
        _raise(
            memory, name_failure(look.reason), look.at, f"a part of it fails: {look.detail or look.reason}"
        )
    elif memory.successes >= CONFIRM and not memory.partly:
        _drop(memory, *_HARD)
        if not memory.fallen.keys() & {"bodied", "named"}:
            _drop(memory, "layout_changed")
    _home(memory, look)
    if not look.home:
        _rhythm(memory, look)
        if look.pages or look.articles:
            _habits(memory, look)
    memory.last = look.at


def _home(memory: Memory, look: Look) -> None:
    memory.homes = memory.homes + 1 if look.home else 0
    if memory.homes >= CONFIRM:
        _raise(memory, "redirected_home", look.at, f"every list leads to {look.home}")
    elif look.outcome == "ok" and not look.home:
        memory.faults.pop("redirected_home", None)


def _rhythm(memory: Memory, look: Look) -> None:
    """Count silence in working days on which somebody looked, learn distances between publishing days, tell floods."""
    today, before = _day(look.at), _day(memory.last) if memory.last else None
    if before and today > before:
        if not memory.faults.keys() - {"frozen"}:
            memory.silence += min(
                working_days(before, today), 2
            )  # a gap between looks is ours, not the source's
        memory.today = 0
    memory.today += look.new
    flood = _flood(memory, look)
    if look.new:
        if memory.published and _day(memory.published) != today and memory.silence and not flood:
            _learn_gap(memory, memory.silence)
        if not flood:
            memory.published, memory.silence = look.at, 0
            memory.most = max(memory.most, memory.today)
    limit = memory.limit(FROZEN_DEVIATIONS)
    if memory.silence > limit:
        since = memory.published or memory.first or look.at
        _raise(
            memory,
            "frozen",
            since,
            f"nothing new for {memory.silence} working days; its rhythm allows {limit:.0f}",
        )
    elif not memory.silence:
        memory.faults.pop("frozen", None)


def _learn_gap(memory: Memory, gap: int) -> None:
    gap = min(gap, math.ceil(memory.limit(FROZEN_DEVIATIONS)))
    if memory.gaps >= MEMORY:
        memory.gaps, memory.squares = memory.gaps // 2, memory.squares / 2
    memory.gaps += 1
    change = gap - memory.mean
    memory.mean += change / memory.gaps
    memory.squares += change * (gap - memory.mean)
    memory.longest = max(memory.longest, gap)


def _flood(memory: Memory, look: Look) -> bool:
    """Return whether this day brings far more than any before; never on the first days, nor after a time without visits."""
    days = (look.at - memory.last) / timedelta(days=1) if memory.last else 0
    usual = FLOOD_TIMES * memory.most * max(1, math.ceil(days))
    if memory.gaps >= KNOWN_GAPS and memory.today > max(FLOOD_LEAST, usual):
        memory.flooded_at = look.at
        _raise(
            memory, "flooded", look.at, f"{memory.today} new on one day; the most before was {memory.most}"
        )
        return True
    if memory.flooded_at and look.at - memory.flooded_at > timedelta(days=1):
        memory.flooded_at = None
        memory.faults.pop("flooded", None)
    return memory.flooded_at is not None


def _habits(memory: Memory, look: Look) -> None:
    day = _day(look.at).isoformat()
    if not memory.window or memory.window[-1].day != day or memory.window[-1].pages >= 5:
        memory.window.append(Counted(day=day))
    memory.window[-1].add(look)
    for name, kind in FIELD_FAULTS.items():
        if name in memory.fallen:
            if _is_back(name, look):
                _forgive(memory, name, look)
        elif found := _fall(memory, name):
            memory.fallen[name] = look.at
            have, total, usual = found
            _raise(
                memory,
                kind,
                look.at,
                f"{total - have} of the last {total} {FIELD_WORDS[name]}; usually {1 - usual:.0%}",
            )
    standing = {FIELD_FAULTS[name] for name in memory.fallen}
    _drop(memory, *({"dates_missing", "encoding_broken", "all_irrelevant"} - standing))
    _forget(memory)


def _forgive(memory: Memory, name: str, look: Look) -> None:
    """The field is there again: what was seen while it was missing counts for nothing any more."""
    began = _day(memory.fallen.pop(name)).isoformat()
    fresh = Counted(day=_day(look.at).isoformat())
    fresh.add(look)
    memory.window = [entry for entry in memory.window if entry.day < began] + [fresh]


def _forget(memory: Memory) -> None:
    """Move what leaves the window to the base; while something has fallen, nothing new is taken for a habit."""
    while len(memory.window) > WINDOW:
        oldest = memory.window.pop(0)
        if not memory.fallen:
            memory.base.add(oldest)
            if memory.base.pages > MEMORY:
                memory.base.halve()


def _fall(memory: Memory, name: str) -> tuple[int, int, float] | None:
    """Return (have, of how many, usual share) of the newest stretch whose share of `name` is far below what was before."""
    least = HABIT_RELEVANT if name == "relevant" else HABIT
    needed = EVIDENCE_RELEVANT if name == "relevant" else EVIDENCE
    before_n = memory.base.total(name) + sum(entry.total(name) for entry in memory.window)
    before_k = getattr(memory.base, name) + sum(getattr(entry, name) for entry in memory.window)
    n = k = 0
    for entry in reversed(memory.window):
        n, k = n + entry.total(name), k + getattr(entry, name)
        before_n, before_k = before_n - entry.total(name), before_k - getattr(entry, name)
        if not n or k > n / 2:
            return None
        if before_n >= KNOWN_ARTICLES:
            usual = before_k / before_n
            if usual >= least and k / n < usual / 2 and _evidence(k, n, before_k, before_n) > needed:
                return k, n, usual
        if n >= 6 and k < n / 6 and not before_n and name in {"bodied", "clean"}:
            return k, n, 1.0
    return None


def _is_back(name: str, look: Look) -> bool:
    total = look.pages if name == "bodied" else look.articles
    have = getattr(look, name)
    if name == "relevant":
        return bool(have)
    return total > 0 and have > total / 2


def _evidence(k: int, n: int, before_k: int, before_n: int) -> float:
    """Return how much better two shares explain the counts than one: the log-likelihood ratio of the G-test, in nats."""
    both = (k + before_k) / (n + before_n)
    return n * _divergence(k / n, both) + before_n * _divergence(before_k / before_n, both)


def _divergence(share: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of two shares in nats; `other` lies between 0 and 1."""
    low = share * math.log(share / other) if share else 0.0
    return low + ((1 - share) * math.log((1 - share) / (1 - other)) if share < 1 else 0.0)


def _day(moment: datetime) -> date:
    return (moment.astimezone(UTC) + timedelta(hours=8)).date()
