"""What a daemon weighs: `python tests/bench/bench_daemon.py [--rounds N] [--idle SECONDS]`; on Linux.

A real daemon visits eight loopback sites, fifty rounds over (each is made due as soon as the one before has ended), then idles.
Printed are the memory of the daemon and of the processes it keeps, after ten rounds and at the end, what a visit costs that
finds nothing new, and what idling costs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select, update  # noqa: E402
from sqlalchemy.exc import SQLAlchemyError  # noqa: E402

from store.database import Engine, make_engine, read_scope, session_scope  # noqa: E402
from store.models import Crawl, Source  # noqa: E402
from tests.acceptance.farm import running  # noqa: E402
from tests.bench.newsfarm import NewsFarm  # noqa: E402
from tests.processes import cpu_seconds, family, memory  # noqa: E402

HOSTS = [f"127.0.0.{number}" for number in range(60, 68)]
PROGRAM = str(Path(sys.executable).parent / "parknews")
#: Rounds until caches and pools are warm.
WARM = 10


def cpu(pid: int) -> float:
    """Return the CPU seconds that the threads a process has now have used."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def wait(what: Callable[[], bool], seconds: float = 300) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if what():
                return
        except SQLAlchemyError:  # no tables yet
            pass
        time.sleep(0.2)
    raise RuntimeError("took too long")


def watch(root: int, heaviest: list[float]) -> None:
    """Note the most memory a visiting process has to itself, until the daemon ends."""
    while Path(f"/proc/{root}").exists():
        for pid in family(root)[2:]:
            with contextlib.suppress(OSError):
                heaviest[0] = max(heaviest[0], memory(pid, "Private_Dirty"))
        time.sleep(0.3)


def visits(engine: Engine) -> int:
    """Return how many visits have ended."""
    with read_scope(engine) as session:
        return session.scalar(select(func.count()).where(Crawl.outcome != "running")) or 0


def weigh(root: int) -> str:
    found = family(root)
    shares = [memory(pid) for pid in found]
    return f"daemon {shares[0]:6.1f} MB, {len(found) - 1} kept processes {sum(shares[1:]):6.1f} MB"


def write_office(folder: Path, news: NewsFarm) -> None:
    (folder / "parknews.toml").write_text(
        "[crawl]\ndelay = 0\n[daemon]\ntick_seconds = 1\n", encoding="utf-8"
    )
    tables = [
        f'[[source]]\nname = "site-{number}"\nkind = "portal"\npublisher = "网"\ninternal = true\n'
        f'urls = ["{news.farm.root(host)}/col0/"]\n'
        for number, host in enumerate(news.farm.hosts)
    ]
    (folder / "sources.toml").write_text("\n".join(tables), encoding="utf-8")


def main() -> None:
    """Print five lines."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--idle", type=float, default=60)
    given = options.parse_args()
    heaviest = [0.0]
    with running(HOSTS) as farm, tempfile.TemporaryDirectory() as name:
        news, folder = NewsFarm(farm, 8 * 4 * 2, 20_000), Path(name)
        news.build()
        write_office(folder, news)
        environment = os.environ | {"PARKNEWS_CONFIG": str(folder / "parknews.toml")}
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen([PROGRAM, "daemon"], env=environment, stderr=log, cwd=folder)
        engine = make_engine(f"sqlite:///{folder / 'var' / 'parknews.db'}")
        worked: list[float] = []
        threading.Thread(target=watch, args=(daemon.pid, heaviest), daemon=True).start()
        try:
            for count in range(1, given.rounds + 1):
                wait(lambda count=count: visits(engine) >= count * len(HOSTS))  # type: ignore[misc]
                if count in {WARM, given.rounds}:
                    time.sleep(3)  # the children have gone
                    print(f"after {count:3} rounds: {weigh(daemon.pid)}", flush=True)
                    worked.append(sum(cpu_seconds(pid, ended_children=True) for pid in family(daemon.pid)))
                if count < given.rounds:
                    with session_scope(engine) as session:
                        session.execute(update(Source).values(next_check_at=datetime.now(UTC)))
            if given.rounds > WARM:
                a_visit = (worked[-1] - worked[0]) / (given.rounds - WARM) / len(HOSTS)
                print(
                    f"a visit that finds nothing new: {1000 * a_visit:.0f} ms CPU, the daemon's part included"
                )
            print(f"heaviest visit: {heaviest[0]:.1f} MB of its own")
            pids = family(daemon.pid)
            before, began = sum(map(cpu, pids)), time.monotonic()
            time.sleep(given.idle)
            share = (sum(map(cpu, pids)) - before) / (time.monotonic() - began)
            print(f"idle, a tick each second: {share:.2%} of a core")
        finally:
            daemon.terminate()
            daemon.wait(20)
            engine.dispose()


if __name__ == "__main__":
    main()
