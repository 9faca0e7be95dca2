"""Time for each page of a file in turn, where a child process reads it: a file of many pages may take longer than one of one.

Outside such a child nothing here has any effect.
"""

from __future__ import annotations

_seconds: list[float] = []


def allow(seconds: float) -> None:
    """Let every call of `more_time` in this process begin `seconds` of processor time anew."""
    _seconds[:] = [seconds]


def more_time() -> None:
    """Begin the next page: the processor time allowed for one page runs from here, never beyond the whole file's limit."""
    if not _seconds:
        return
    import math
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = math.ceil(used.ru_utime + used.ru_stime + _seconds[0])
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, hard), hard))
