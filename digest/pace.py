"""How fast mail may go: sliding windows over what the ledger says was sent, for the server as a whole and per domain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.addresses import domain_of

_WINDOWS = {"per_minute": 60, "per_hour": 3600, "per_day": 86_400}


@dataclass(frozen=True)
class Limits:
    """How many parcels may go within a minute, an hour, a day; 0 or less means no limit."""

    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0

    def stricter(self, other: Limits) -> Limits:
        """Return the lower of each pair of limits."""
        pairs = [(getattr(self, key), getattr(other, key)) for key in _WINDOWS]
        return Limits(*(min(filter(lambda n: n > 0, pair), default=0) for pair in pairs))

    def windows(self) -> list[tuple[int, int]]:
        """Return (seconds, limit) for every limit there is."""
        given = [(seconds, getattr(self, key)) for key, seconds in _WINDOWS.items()]
        return [(seconds, limit) for seconds, limit in given if limit > 0]

    @property
    def memory(self) -> timedelta:
        """How far back the ledger has to be asked."""
        return timedelta(seconds=max((seconds for seconds, _ in self.windows()), default=0))

    def __str__(self) -> str:
        """Say them for people; empty when there are none."""
        given = [(getattr(self, key), key.removeprefix("per_")) for key in _WINDOWS]
        return ", ".join(f"{limit} a{'n' * (word == 'hour')} {word}" for limit, word in given if limit > 0)

    def time_for(self, count: int) -> timedelta:
        """Return how long `count` parcels take at least, beginning with nothing sent before."""
        full = [
            timedelta(seconds=(count - 1) // limit * seconds) for seconds, limit in self.windows() if count
        ]
        return max(full, default=timedelta())


@dataclass
class _Window:
    """The moments within a limit's reach; oldest first."""

    limits: Limits
    moments: deque[datetime] = field(default_factory=deque)

    def free_at(self, now: datetime) -> datetime:
        """Return when the next one may go; `now` or earlier means at once."""
        free = now
        for seconds, limit in self.limits.windows():
            if len(self.moments) >= limit:
                free = max(free, self.moments[-limit] + timedelta(seconds=seconds))
        return free

    def add(self, at: datetime) -> None:
        self.moments.append(at)
        while self.moments[0] < at - self.limits.memory:
            self.moments.popleft()


class Pace:
    """The pace of one channel. `domains` gives stricter limits for addresses of single domains."""

    def __init__(self, limits: Limits, domains: Mapping[str, Limits] | None = None) -> None:
        self._all = _Window(limits)
        self._domains = {domain: _Window(each) for domain, each in (domains or {}).items()}

    @property
    def limits(self) -> Limits:
        """What holds for all addresses together."""
        return self._all.limits

    @property
    def memory(self) -> timedelta:
        windows = [self._all, *self._domains.values()]
        return max(window.limits.memory for window in windows)

    def recall(self, sent: Iterable[tuple[datetime, str]]) -> None:
        """Forget everything and start from what was sent before, oldest first, as (moment, address)."""
        for window in (self._all, *self._domains.values()):
            window.moments.clear()
        for at, address in sent:
            self.note(at, address)

    def note(self, at: datetime, address: str) -> None:
        """Count one parcel that went (or may have gone)."""
        for window in (self._all, self._domains.get(domain_of(address))):
            if window is not None and window.limits.windows():
                window.add(at)

    def free_at(self, now: datetime) -> datetime:
        """Return when anything at all may go."""
        return self._all.free_at(now)

    def free_for(self, address: str, now: datetime) -> datetime:
        """Return when something may go to `address`'s domain."""
        window = self._domains.get(domain_of(address))
        return window.free_at(now) if window else now
