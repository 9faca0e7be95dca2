"""Crawls on several workers over one real PostgreSQL: nothing lost, nothing doubled, every host left its rest, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from store.config import Config, ConfigError, Daemon, Database
from store.database import make_engine, read_scope
from store.models import Article, RawPage, Source
from tests.acceptance.farm import Farm, running
from tests.loopback import Site

pytest.importorskip("procrastinate")

from scheduler.context import Installation
from scheduler.workers import Submitter, conninfo, prepare
from tests.databases import emptied

HOSTS = [f"127.0.0.{number}" for number in range(20, 26)]
ARTICLES, DELAY, LEASE = 6, 0.4, 10
PROGRAM = Path(sys.executable).parent / "parknews"


@pytest.fixture
def database(postgresql_url: str) -> str:
    """An empty database."""
    emptied(postgresql_url).dispose()
    return postgresql_url


def fill(farm: Farm) -> None:
    for host in farm.hosts:
        titles = [(f"/a/20261120{n}.html", f"宝鸡高新区第{n}次党建工作会议召开") for n in range(ARTICLES)]
        for column in ("one", "two"):
            links = titles[::2] if column == "one" else titles[1::2]
            farm.pages[host, f"/{column}/"] = Site.list_page(links)
        for number, (path, title) in enumerate(titles):
            words = f"{host}第{number}篇：11月20日，宝鸡高新区召开党建工作推进会，发布骑手先锋行动方案，{number}家企业党组织参加。"
            farm.pages[host, path] = Site.article_page(
                title, [words, f"会议要求各街道党工委第{number}次落实责任。" * 3]
            )


def write_office(folder: Path, farm: Farm) -> None:
    (folder / "parknews.toml").write_text(
        f"[crawl]\ndelay = {DELAY}\ntimeout = 5\nrecheck_days = 0\n"
        f"[daemon]\nworkers = true\ntick_seconds = 1\nlease_seconds = {LEASE}\n",
        encoding="utf-8",
    )
    tables = [
        f'[[source]]\nname = "{column}-{number}"\nkind = "portal"\npublisher = "网{number}"\ninternal = true\n'
        f'urls = ["{farm.root(host)}/{column}/"]\n'
        for number, host in enumerate(farm.hosts)
        for column in ("one", "two")
    ]
    (folder / "sources.toml").write_text("\n".join(tables), encoding="utf-8")


@contextmanager
def processes(folder: Path, url: str) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `parknews …` processes that end with the block."""
    environment = os.environ | {
        "PARKNEWS_CONFIG": str(folder / "parknews.toml"),
        "PARKNEWS_DATABASE_URL": url,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        log = (folder / f"{words[0]}-{len(started)}.log").open("wb")
        started.append(subprocess.Popen([str(PROGRAM), *words], env=environment, stderr=log, cwd=folder))
        return started[-1]

    try:
        yield start
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def until(what: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, "took too long"
        time.sleep(0.3)
    return time.monotonic() - began


@pytest.mark.slow
def test_killed_workers_lose_and_double_nothing_and_hosts_get_their_rest(
    tmp_path: Path, database: str
) -> None:
    with running(HOSTS) as farm, processes(tmp_path, database) as start:
        fill(farm)
        write_office(tmp_path, farm)
        start("daemon")
        workers = [start("worker", "--at-once", "2") for _ in range(4)]
        until(lambda: len(farm.paths("/a/")) >= 4, 300)
        for worker in workers[:2]:
            os.kill(worker.pid, signal.SIGKILL)
        engine = make_engine(database)

        def complete() -> bool:
            with read_scope(engine) as session:
                checked = session.scalar(
                    select(func.count()).where(Source.last_reason.is_(None), Source.checked_at.is_not(None))
                )
                return checked == 2 * len(HOSTS)

        took = until(complete, 300)
        assert took <= LEASE + 80
        with read_scope(engine) as session:
            urls = session.scalars(select(Article.url)).all()
            pages = session.scalars(select(RawPage.url)).all()
        engine.dispose()
        assert len(urls) == len(set(urls)) == ARTICLES * len(HOSTS)
        assert len(pages) == len(set(pages))
        assert max(farm.most_at_once.values()) == 1
        gaps = [gap for host in farm.gaps().values() for gap in host]
        assert min(gaps) >= DELAY
        began = time.monotonic()
        workers[2].terminate()
        assert workers[2].wait(15) == 0
        assert time.monotonic() - began < 10


def test_a_source_is_queued_once_however_often_it_is_submitted(tmp_path: Path, database: str) -> None:
    with running(HOSTS[:1]) as farm:
        write_office(tmp_path, farm)
    installation = Installation(
        Config(database=Database(url=database), daemon=Daemon(workers=True), base=str(tmp_path))
    )
    now = datetime.now(UTC)
    from crawler.sources.loader import load_sources
    from store.database import session_scope
    from store.sources import sync_sources

    with session_scope(installation.engine) as session:
        sync_sources(session, load_sources(installation.config), 3600, now)
    prepare(installation)
    prepare(installation)
    queue = Submitter(installation)
    assert queue.submit(now) == 2
    assert queue.submit(now) == 0
    queue.close()
    with installation.engine.connect() as connection:
        jobs = connection.execute(
            text("SELECT lock, queueing_lock FROM parknews_queue.procrastinate_jobs")
        ).all()
    assert {lock for lock, _ in jobs} == {f"host:{HOSTS[0]}:{farm.port}"}
    assert {lock for _, lock in jobs} == {"source:one-0", "source:two-0"}
    installation.engine.dispose()


def test_the_queue_needs_postgresql() -> None:
    with pytest.raises(ConfigError, match="PostgreSQL"):
        conninfo("sqlite:///x.db")
    url = conninfo("postgresql+psycopg://me@db.example.cn:5433/news?sslmode=require")
    assert (
        url
        == "postgresql://me@db.example.cn:5433/news?sslmode=require&options=-c%20search_path%3Dparknews_queue"
    )
