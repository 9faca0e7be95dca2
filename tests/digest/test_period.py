from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.period import due_at, is_late, next_due
from store.config import DigestSection

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_EIGHT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


def test_the_hour_itself_is_due() -> None:
    assert due_at(MONDAY_EIGHT, DigestSection(), SHANGHAI) == MONDAY_EIGHT


def test_a_second_before_the_hour_the_week_before_is_due() -> None:
    assert due_at(MONDAY_EIGHT - timedelta(seconds=1), DigestSection(), SHANGHAI) == MONDAY_EIGHT - timedelta(
        days=7
    )


def test_next_due_is_after_now_and_a_week_on() -> None:
    assert next_due(MONDAY_EIGHT, DigestSection(), SHANGHAI) == MONDAY_EIGHT + timedelta(days=7)
    assert next_due(MONDAY_EIGHT - timedelta(seconds=1), DigestSection(), SHANGHAI) == MONDAY_EIGHT


def test_sunday_evening_in_utc_is_already_monday_in_the_office() -> None:
    now = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)
    assert due_at(now, DigestSection(hour="06:30"), SHANGHAI) == datetime(2026, 11, 22, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"]
)
def test_through_a_year_of_clock_changes_every_week_has_one_due_hour(zone: str) -> None:
    place, digest = ZoneInfo(zone), DigestSection(weekday="sun", hour="02:30")
    now, seen = datetime(2026, 1, 1, tzinfo=UTC), set()
    for _ in range(366 * 24):
        now += timedelta(hours=1)
        assert due_at(now, digest, place) <= now < next_due(now, digest, place)
        seen.add(due_at(now, digest, place))
    gaps = {b - a for a, b in zip(sorted(seen), sorted(seen)[1:], strict=False)}
    assert gaps <= {timedelta(days=7, hours=h / 2) for h in (-2, -1, 0, 1, 2)}
    assert 52 <= len(seen) <= 54


def test_a_few_minutes_are_not_late_but_a_day_is() -> None:
    assert not is_late(MONDAY_EIGHT + timedelta(minutes=5), MONDAY_EIGHT)
    assert is_late(MONDAY_EIGHT + timedelta(days=1), MONDAY_EIGHT)
