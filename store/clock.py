"""What a machine's clock can show. One without a battery begins in 1970, until it has asked for the time. Pure."""

from __future__ import annotations

from datetime import datetime

#: A clock that has lost the time begins in 1970, some in 2000. Not later: an archive of past years may be read in at its time.
LEAST_YEAR = 2020


def clock_fault(now: datetime) -> str:
    """Return what is wrong with a moment that cannot be now, with the way out; empty when nothing is.

    What was visited, composed or sent at such a moment would stand in a week that is no reader's: nothing is, then.
    """
    if now.year >= LEAST_YEAR:
        return ""
    return (
        f"this machine's clock shows {now:%Y-%m-%d %H:%M}, which cannot be: set it and switch on time synchronisation "
        "(timedatectl set-ntp true)"
    )
