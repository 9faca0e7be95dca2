"""Faults of the machine, the clock and the mail server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, text

from digest.issue import compose_issue
from store.articles import known_urls
from store.config import Config, Office
from store.database import OperationalError, read_scope, session_scope
from store.leases import acquire
from store.models import Article, Issue, Lease, Source, Story
from tests.digest import test_channels_smtp as smtp_tests
from tests.digest.smtp_servers import Mailbox, ScriptedServer, real_server
from tests.digest.test_delivery import Office as Sender
from tests.digest.test_delivery import RecordingChannel, addresses
from tests.loopback import Office as Crawling
from tests.loopback import Site

PARKNEWS = str(Path(sys.executable).parent / "parknews")


def test_a_crawl_killed_anywhere_loses_and_doubles_nothing(site: Site, office: Crawling) -> None:
    """crash at any step: what was stored stays, doing it again is harmless (kill -9 in the middle of a crawl, then a whole one)."""
    links = [(f"/a/{n}.html", f"合川高新区第{n}次党建工作会议在产业园召开") for n in range(12)]
    site.pages["/list.html"] = site.list_page(links)
    for n, (href, title) in enumerate(links):
        body = f"11月{n + 1}日，合川高新区召开第{n}次党建工作会议，{n * 13 + 7}名党员参加，会议研究了第{n}街道的{n + 3}项两新组织党建任务。"
        site.pages[href] = site.article_page(title, [body * 2, f"第{n}街道党工委负责人作了汇报。"])
    office.write_sources(
        f'[[source]]\nname = "a"\nkind = "portal"\npublisher = "x"\nurls = ["{site.root}/list.html"]\ninternal = true\n'
    )
    for requests in (5, 9):
        _killed_after(office, site, requests)
    done = office.run("parknews", "crawl")
    assert done.returncode == 0, done.stderr
    with read_scope(office.engine) as session:
        urls = list(session.scalars(select(Article.url)))
        assert sorted(urls) == sorted(f"{site.root}{href}" for href, _ in links)
        assert (
            session.scalar(select(func.count()).select_from(Article).where(Article.story_id.is_(None))) == 0
        )
        assert known_urls(session, urls) == set(urls)
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def _killed_after(office: Crawling, site: Site, requests: int) -> None:
    before = len(site.asked)
    environment = os.environ | {"PARKNEWS_CONFIG": str(office.folder / "parknews.toml")}
    process = subprocess.Popen(
        [PARKNEWS, "crawl"],
        env=environment,
        cwd=office.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    limit = time.monotonic() + 30
    while process.poll() is None and len(site.asked) < before + requests and time.monotonic() < limit:
        time.sleep(0.002)
    process.kill()
    process.wait()
    with session_scope(office.engine) as session:
        session.execute(
            delete(Lease)
        )  # a dead crawl's hold of the host ends by itself, later than this test can wait


def test_a_process_that_dies_behind_the_dot_sends_nothing_again(sqlite_engine: Engine, now: datetime) -> None:
    """crash around SMTP's 250: the mail is in doubt, is never sent again by itself, and the others get theirs."""
    sender = Sender(sqlite_engine, now, *addresses(3))
    child = os.fork()
    if child == 0:
        sqlite_engine.dispose(close=False)
        sender.run({"mail": RecordingChannel(behind=lambda _: os.kill(os.getpid(), signal.SIGKILL))})
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    channel = RecordingChannel()
    for _ in range(2):
        sender.run({"mail": channel}, worker="next", stale_seconds=-1)
        sender.time += timedelta(days=1)
    assert sorted(sender.states()) == ["in_doubt", "sent", "sent"]
    assert len(channel.delivered) == 2


def test_a_full_disk_rolls_back_and_goes_on_when_there_is_room(sqlite_engine: Engine, now: datetime) -> None:
    """disk full: the transaction is rolled back whole, nothing before it is lost, writing goes on when there is room again."""
    with sqlite_engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages + 8}"))
    kept: list[int] = []
    with pytest.raises(OperationalError, match="full"):
        _fill(sqlite_engine, now, kept)
    with sqlite_engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=100000"))
    with session_scope(sqlite_engine) as session:
        assert session.scalar(select(func.count()).select_from(Source)) == len(kept) > 0
        session.add(Source(name="afterwards", kind="rss", first_seen_at=now))


def _fill(engine: Engine, now: datetime, kept: list[int]) -> None:
    for number in range(100):
        with session_scope(engine) as session:
            session.add(Source(name=f"s{number}", kind="rss", first_seen_at=now, last_error="x" * 3000))
        kept.append(number)


def test_a_locked_database_keeps_writers_waiting_and_readers_reading(
    sqlite_engine: Engine, now: datetime
) -> None:
    """database locked: a writer waits for its turn, readers go on meanwhile."""
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite_engine.begin():
            held.set()
            free.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    with read_scope(sqlite_engine) as session:
        assert session.scalar(select(func.count()).select_from(Source)) == 0
    threading.Timer(0.4, free.set).start()
    with session_scope(sqlite_engine) as session:
        session.add(Source(name="a", kind="rss", first_seen_at=now))
    holder.join()


def test_two_daemons_compose_one_issue(
    engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    """two daemons: one holds the lease, the other stands by; should both act, there is still one issue."""
    with session_scope(engine) as session:
        add_story(session, now)
        assert acquire(session, "daemon", "first", now, 45)
        assert not acquire(session, "daemon", "second", now, 45)
        assert acquire(session, "daemon", "second", now + timedelta(seconds=46), 45)
    made: list[Any] = []
    threads = [
        threading.Thread(target=lambda: made.append(compose_issue(engine, Config(), now))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [issue is None for issue in made].count(False) == 1
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Issue)) == 1


def test_each_period_is_covered_once_whatever_the_clock_does(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    """late start, clock jump, DST: issues tile time without gap or overlap; weeks missed are covered by the next issue."""
    config = Config(office=Office(time_zone="Europe/Berlin"))
    moments = [
        0,
        0.1,
        7,
        6.9,
        3,
        35,
        35.2,
        36,
        20,
        42,
        140,
        147,
        154,
    ]  # days from the first: late, set back, over two DST changes
    for days in moments:
        with session_scope(sqlite_engine) as session:
            add_story(session, now + timedelta(days=days))
        compose_issue(sqlite_engine, config, now + timedelta(days=days, hours=12))
    with read_scope(sqlite_engine) as session:
        issues = session.scalars(select(Issue).order_by(Issue.number)).all()
    assert all(a.period_end == b.period_start for a, b in pairwise(issues))
    assert len({issue.due_at for issue in issues}) == len(issues) == 7
    assert [issue.number for issue in issues] == list(range(1, 8))


@pytest.mark.parametrize(
    ("script", "states"),
    [
        ({"RCPT": [b"451 later\r\n", b"250 ok\r\n", b"250 ok\r\n"]}, ["retry", "sent", "sent"]),
        ({"RCPT": [b"550 no such user\r\n", b"250 ok\r\n", b"250 ok\r\n"]}, ["suppressed", "sent", "sent"]),
        ({".": [None, b"250 ok\r\n", b"250 ok\r\n"]}, ["in_doubt", "sent", "sent"]),
        ({"DATA": [None, b"354 go on\r\n", b"354 go on\r\n"]}, ["retry", "sent", "sent"]),
    ],
)
def test_each_answer_of_a_mail_server_has_its_consequence(
    sqlite_engine: Engine, now: datetime, script: dict[str, Any], states: list[str]
) -> None:
    """4xx, 5xx, timeout, drop in DATA: tried again, address given up, in doubt, tried again; the others get their mail."""
    sender = Sender(sqlite_engine, now, *addresses(3))
    with ScriptedServer(script) as server:
        sender.deliver(server.port)
    assert sender.states() == states


def test_bad_or_stripped_tls_is_refused(tmp_path: Path) -> None:
    """TLS bad or stripped: nothing is sent, not even the name of the user."""
    smtp_tests.test_a_certificate_that_proves_nothing_is_refused(tmp_path, ("127.0.0.1",), implicit=True)
    smtp_tests.test_stripped_starttls_is_refused_and_nothing_is_said_in_the_clear()


def test_a_slow_mail_server_does_not_hold_up_the_run_for_ever(sqlite_engine: Engine, now: datetime) -> None:
    """slow mail server: a reply must be whole in time, however it drips."""
    sender = Sender(sqlite_engine, now, *addresses(2))
    begun = time.monotonic()
    with ScriptedServer({"MAIL": lambda connection: time.sleep(3)}) as server:
        sender.deliver(server.port)
    assert time.monotonic() - begun < 20
    assert "sent" not in sender.states()
    with real_server(Mailbox()) as port:
        sender.time += timedelta(hours=2)
        assert sender.deliver(port, worker="next", stale_seconds=-1).sent == 2
