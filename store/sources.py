"""Sources as the database knows them: which are due, how they have been, what each visit brought."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from store.database import among
from store.models import Crawl, Source
from store.watch import FROZEN_DEVIATIONS, KNOWN_GAPS, LATE_DEVIATIONS, Look, Memory, state_of, watch

#: The counts of `Crawl.stats["coverage"]`: see store.watch.Look.
COVERAGE = ("pages", "bodied", "articles", "named", "dated", "clean", "relevant", "home")

#: A first failure is confirmed or proved a hiccup after this time.
CONFIRM_AFTER = timedelta(minutes=15)
#: A failing source is tried again after its interval doubled per further failure, at most this long; it is never given up.
MAX_BACKOFF = timedelta(hours=12)
#: A source without news is asked after a tenth of its silence, so that one that publishes weekly costs little and one that has
#: just published is asked at its own interval again; never more than four hours, so that no issue misses a morning's news.
IDLE_SHARE, MOST_IDLE_WAIT = 10, timedelta(hours=4)
#: No server is waited for longer than this, whatever its Retry-After says.
MAX_WAIT = timedelta(days=1)
#: The reason word of a visit that was cut short because everything was; it is made up for at once.
SHUTDOWN = "shutdown"
#: The reason word of a visit that was cut short because the database failed; it is made up for when that is over.
DATABASE_FAILED, DATABASE_WAIT = "database_failed", timedelta(seconds=20)
#: The reason word of a visit whose process ended without a word.
CHILD_DIED = "child_died"
LOST = "the crawling process ended without a word"


class SourceDefinition(Protocol):
    """What the store must know of a configured source."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def publisher(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def host(self) -> str: ...
    @property
    def interval_seconds(self) -> int | None: ...


@dataclass(slots=True)
class Visit:
    """What one crawl of one source came to."""

    outcome: str
    reason: str | None = None
    error: str | None = None
    requests: int = 0
    pages: int = 0
    links: int = 0
    new: int = 0
    seen: int = 0
    revised: int = 0
    dropped: int = 0
    errors: int = 0
    bytes: int = 0


def sync_sources(
    session: Session, definitions: Sequence[SourceDefinition], interval_seconds: int, now: datetime
) -> dict[str, Source]:
    """Make the rows agree with the configured sources; return them by name. Sources no longer configured are paused, not deleted."""
    rows = {row.name: row for row in session.scalars(select(Source))}
    for definition in definitions:
        row = rows.get(definition.name)
        if row is None:
            row = rows[definition.name] = Source(
                name=definition.name, first_seen_at=now, next_check_at=now, state="new"
            )
            session.add(row)
        _follow(row, definition, interval_seconds, now)
    configured = {definition.name for definition in definitions}
    for name, row in rows.items():
        if name not in configured:
            row.enabled, row.state = False, "paused"
    session.flush()
    return rows


def _follow(row: Source, definition: SourceDefinition, interval_seconds: int, now: datetime) -> None:
    row.kind, row.publisher, row.host = definition.kind, definition.publisher, definition.host
    row.interval_seconds = definition.interval_seconds or interval_seconds
    longest = max(timedelta(seconds=row.interval_seconds), MAX_BACKOFF, MAX_WAIT) + timedelta(hours=1)
    ahead = row.checked_at is not None and row.checked_at > now + timedelta(minutes=5)
    if row.next_check_at is None or row.next_check_at > now + longest or (ahead and row.next_check_at > now):
        row.next_check_at = now  # written under a clock that ran ahead
    if row.enabled and not definition.enabled:
        row.state = "paused"
    elif definition.enabled and row.state == "paused":
        row.state, row.next_check_at = "new" if row.checked_at is None else "up", now
    row.enabled = definition.enabled


def due_sources(
    session: Session,
    now: datetime,
    limit: int | None = None,
    *,
    without: Collection[str] = (),
    without_hosts: Collection[str] = (),
) -> list[Source]:
    """Return the enabled sources whose time has come, longest overdue first, but for these names and hosts."""
    query = (
        select(Source)
        .where(Source.enabled, Source.next_check_at <= now)
        .where(Source.name.not_in(without), Source.host.not_in(without_hosts))
        .order_by(Source.next_check_at, Source.name)
    )
    return list(session.scalars(query.limit(limit) if limit else query))


def claim_source(session: Session, source: Source, now: datetime, hold: timedelta) -> bool:
    """Take a due source for one visit: nobody else gets it until `hold` has passed or the visit is recorded.

    Short holds that are prolonged while the visit runs let another daemon go on soon after this one was killed.
    """
    statement = (
        update(Source)
        .where(Source.id == source.id, Source.next_check_at == source.next_check_at)
        .values(next_check_at=now + hold)
    )
    return bool(getattr(session.execute(statement), "rowcount", 0))


def hold_sources(session: Session, names: Sequence[str], held: datetime, until: datetime) -> None:
    """Prolong the claim on sources that are being visited; those whose visit was recorded meanwhile keep their next check."""
    session.execute(
        update(Source).where(Source.name.in_(names), Source.next_check_at == held).values(next_check_at=until)
    )


def lost_visits(
    session: Session, names: Sequence[str], held: datetime, now: datetime, fate: str = LOST
) -> list[str]:
    """Record as failed the visits of sources that are still claimed up to `held` though their process has ended; return their names.

    `fate` says for an operator how it ended.
    """
    lost = list(session.scalars(select(Source).where(Source.name.in_(names), Source.next_check_at == held)))
    for source in lost:
        close_lost(session, source.id, now, fate)
    return [source.name for source in lost]


def close_lost(session: Session, source_id: int, now: datetime, fate: str = LOST) -> None:
    """Record the visit of a source as failed because its process ended without writing a record."""
    crawl = session.scalar(
        select(Crawl)
        .where(Crawl.source_id == source_id, Crawl.outcome == "running")
        .order_by(Crawl.id.desc())
        .limit(1)
    )
    visit = Visit("failed", CHILD_DIED, f"{CHILD_DIED}: {fate}")
    finish_crawl(session, (crawl or start_crawl(session, source_id, now)).id, visit, {}, now)


def start_crawl(session: Session, source_id: int, now: datetime) -> Crawl:
    """Open the record of a visit; one of the same source that never ended (power, kill -9) is closed as interrupted."""
    stale = update(Crawl).where(Crawl.source_id == source_id, Crawl.outcome == "running")
    session.execute(stale.values(outcome="interrupted", reason="no_end", finished_at=now))
    crawl = Crawl(source_id=source_id, started_at=now)
    session.add(crawl)
    session.flush()
    return crawl


def finish_crawl(
    session: Session,
    crawl_id: int,
    visit: Visit,
    stats: Mapping[str, Any],
    now: datetime,
    *,
    retry_after: int = 0,
) -> None:
    """Close the record of a visit and carry what it means over to its source: state, errors, next check.

    `retry_after` is the least wait in seconds that the server asked for.
    """
    crawl = session.get_one(Crawl, crawl_id)
    for name in (
        "outcome",
        "reason",
        "requests",
        "pages",
        "links",
        "new",
        "seen",
        "revised",
        "dropped",
        "errors",
        "bytes",
    ):
        setattr(crawl, name, getattr(visit, name))
    crawl.finished_at, crawl.stats = now, dict(stats)
    source = session.get_one(Source, crawl.source_id)
    source.checked_at = now
    source.last_reason, source.last_error = visit.reason, visit.error
    if visit.new:
        source.last_new_at = now
    if visit.outcome == "failed":
        source.error_count += 1
    elif visit.outcome != "interrupted":
        source.error_count = 0
    remember(source, look_of(crawl, visit.error or ""))
    source.next_check_at = now + max(_wait(source, visit, now), timedelta(seconds=retry_after))


def look_of(crawl: Crawl, detail: str = "") -> Look:
    """Return a recorded visit as the watch sees it."""
    counts = crawl.stats.get("coverage") or {}
    return Look(
        at=crawl.finished_at or crawl.started_at,
        outcome=crawl.outcome,
        reason=crawl.reason or "",
        detail=detail[:300],
        new=crawl.new,
        **{name: counts[name] for name in COVERAGE if name in counts},
    )


def remember(source: Source, look: Look) -> None:
    """Take a visit into the source's memory; its state and its standing faults follow from it."""
    memory = watch(msgspec.convert(source.memory or {}, Memory, strict=False), look)
    source.memory = msgspec.to_builtins(memory)
    source.faults = {
        kind: {"since": fault.since.isoformat(), "evidence": fault.evidence}
        for kind, fault in memory.faults.items()
    }
    if source.enabled and look.outcome != "interrupted":
        source.state = state_of(memory)


def _wait(source: Source, visit: Visit, now: datetime) -> timedelta:
    interval = timedelta(seconds=source.interval_seconds)
    if visit.outcome == "interrupted":
        waits = {SHUTDOWN: timedelta(), DATABASE_FAILED: DATABASE_WAIT}
        return min(interval, waits.get(visit.reason or "", timedelta(minutes=5)))
    if source.error_count == 1:
        return min(interval, CONFIRM_AFTER)
    if source.error_count:
        return min(interval * 2.0 ** min(source.error_count - 1, 10), max(MAX_BACKOFF, interval))
    idle = now - (source.last_new_at or source.first_seen_at)
    return min(max(interval, idle / IDLE_SHARE), max(interval, MOST_IDLE_WAIT))


def last_crawls(session: Session, source_id: int, limit: int = 12) -> list[Crawl]:
    """Return the latest visits of a source, newest first."""
    return list(
        session.scalars(
            select(Crawl).where(Crawl.source_id == source_id).order_by(Crawl.id.desc()).limit(limit)
        )
    )


def recent_crawls(session: Session, limit: int) -> list[tuple[str, Crawl]]:
    """Return the latest visits of all sources with their source's name, newest first."""
    query = select(Source.name, Crawl).join(Source, Source.id == Crawl.source_id)
    return [(name, crawl) for name, crawl in session.execute(query.order_by(Crawl.id.desc()).limit(limit))]


def weekly_new(
    session: Session, now: datetime, weeks: int, source_ids: Sequence[int]
) -> dict[int, list[int]]:
    """Return by source, of those given, how many new articles each of the last `weeks` weeks brought, the oldest week first."""
    since = now - timedelta(weeks=weeks)
    rows = session.execute(
        select(Crawl.source_id, Crawl.started_at, Crawl.new).where(
            among(Crawl.source_id, "sources"), Crawl.started_at > since, text("new > 0")
        ),
        {"sources": source_ids},
    )
    found: dict[int, list[int]] = {}
    for source_id, at, new in rows:
        found.setdefault(source_id, [0] * weeks)[min(weeks - 1, (at - since) // timedelta(weeks=1))] += new
    return found


def rhythm(source: Source) -> str:
    """Return in words what is known of when a source publishes; its row must be loaded within a session."""
    memory = msgspec.convert(source.memory or {}, Memory, strict=False)
    if memory.gaps < KNOWN_GAPS:
        return f"not known yet ({memory.gaps} of {KNOWN_GAPS} distances between publishing days)"
    return (
        f"every {memory.mean:.1f} working days, longest silence {memory.longest}, silent for {memory.silence};"
        f" late after {memory.limit(LATE_DEVIATIONS):.0f}, frozen after {memory.limit(FROZEN_DEVIATIONS):.0f}"
    )


def find_source(session: Session, name: str) -> Source | None:
    """Return the source of this name."""
    return session.scalar(select(Source).where(Source.name == name))


def all_sources(session: Session) -> list[Source]:
    """Return every source by name."""
    return list(session.scalars(select(Source).order_by(Source.name)))
