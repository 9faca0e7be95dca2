"""When an issue is due: one fixed hour a week in the office's time zone, through clock changes and outages."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from store.config import DigestSection

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: An issue composed this long after its hour is marked 补发 (late).
LATE_AFTER = timedelta(hours=1)


def due_at(now: datetime, digest: DigestSection, zone: ZoneInfo) -> datetime:
    """Return the latest due moment at or before `now`, in UTC. An hour skipped by a clock change is due when it would have been."""
    today = now.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - _WEEKDAYS.index(digest.weekday)) % 7)
    moment = _at(day, digest, zone)
    return moment if moment <= now else _at(day - timedelta(days=7), digest, zone)


def next_due(now: datetime, digest: DigestSection, zone: ZoneInfo) -> datetime:
    """Return the first due moment after `now`, in UTC."""
    last = due_at(now, digest, zone).astimezone(zone).date()
    return _at(last + timedelta(days=7), digest, zone)


def is_late(now: datetime, due: datetime) -> bool:
    """Return whether an issue due at `due` and composed at `now` goes out late."""
    return now - due > LATE_AFTER


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the office's calendar day of `moment`."""
    return moment.astimezone(zone).date()


def _at(day: date, digest: DigestSection, zone: ZoneInfo) -> datetime:
    hour, minute = map(int, digest.hour.split(":"))
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
