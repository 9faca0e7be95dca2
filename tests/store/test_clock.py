"""Moments that no right clock shows."""

from __future__ import annotations

from datetime import UTC, datetime

from store.clock import clock_fault


def test_a_clock_that_began_in_1970_is_told_with_the_way_out_and_a_possible_one_is_not(now: datetime) -> None:
    said = clock_fault(datetime(1970, 1, 1, 1, 23, tzinfo=UTC))
    assert "1970-01-01 01:23" in said
    assert "set-ntp true" in said
    assert clock_fault(now) == ""
