"""Working days in mainland China: nobody expects news of an office on a weekend or in the long holidays. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

#: Chinese New Year's day by year; beyond the table every February counts as usual.
_NEW_YEAR = {
    2024: (2, 10),
    2025: (1, 29),
    2026: (2, 17),
    2027: (2, 6),
    2028: (1, 26),
    2029: (2, 13),
    2030: (2, 3),
    2031: (1, 23),
    2032: (2, 11),
    2033: (1, 31),
    2034: (2, 19),
    2035: (2, 8),
    2036: (1, 28),
    2037: (2, 15),
    2038: (2, 4),
    2039: (1, 24),
    2040: (2, 12),
}
#: (month, first day, last day) of the holidays with a fixed date.
_FIXED = ((1, 1, 1), (5, 1, 5), (10, 1, 8))


def working_days(after: date, until: date) -> int:
    """Return the working days later than `after` up to and with `until`; made-up weekends are not known."""
    span = (until - after).days
    if span > 366:
        return span * 5 // 7
    return sum(is_working_day(after + timedelta(days=number)) for number in range(1, span + 1))


@lru_cache(maxsize=4096)
def is_working_day(day: date) -> bool:
    """Return whether offices work on this day."""
    if day.weekday() >= 5:
        return False
    if any(day.month == month and first <= day.day <= last for month, first, last in _FIXED):
        return False
    if day.year in _NEW_YEAR:
        new_year = date(day.year, *_NEW_YEAR[day.year])
        return not new_year - timedelta(days=2) <= day <= new_year + timedelta(days=9)
    return True
