"""What Linux says of running processes: their parents, their memory and the time they used."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def parents() -> dict[int, int]:
    """Return the parent of every process; ended ones that nobody has waited for are left out."""
    found: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def family(root: int) -> list[int]:
    """Return the process and all its descendants, nearest first."""
    above = parents()
    found = [root]
    for one in found:
        found += [child for child, parent in above.items() if parent == one]
    return found


def memory(pid: int, word: str = "Pss") -> float:
    """Return a process's memory in MB, 0 when it has ended: by default its own and its part of what it shares.

    `word` is one of /proc's: Pss, Private_Dirty, VmRSS, VmHWM (the most it ever held; getrusage would count what a process's
    parent held when it forked).
    """
    file = "status" if word.startswith("Vm") else "smaps_rollup"
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(f"{word}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """Return the CPU seconds a process has used, on demand with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / os.sysconf("SC_CLK_TCK")
