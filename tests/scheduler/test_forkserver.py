"""Forked children: what they share, what they see anew, and how they end, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crawler.context import CrawlContext
from scheduler.crawls import fork_server, start_visit
from scheduler.forkserver import GONE_SECONDS, Child, ForkServer, end_all, wait_for
from store.config import load_config
from store.database import read_scope
from store.models import Crawl, Source
from tests.loopback import Answer, Office, Site

PATHOLOGICAL = "(x+x+)+y"


def portal(site: Site, name: str, more: str = "") -> str:
    return f'[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "网"\nurls = ["{site.root}/{name}/"]\ninternal = true\n{more}\n'


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def until(what: Callable[[], object], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "took too long"
        time.sleep(0.1)


def slow_page(_: dict[str, str]) -> Answer:
    time.sleep(4)
    return 200, {"Content-Type": "text/html"}, b"<p>late</p>"


@pytest.fixture
def context(office: Office, site: Site, monkeypatch: pytest.MonkeyPatch) -> CrawlContext:
    """What a crawl of this office starts from; its one source has a list with an article."""
    title = "宝鸡高新区召开党建工作推进会"
    site.pages["/a/"] = site.list_page([("/a/2026/11/20/c1.html", title)])
    site.pages["/a/2026/11/20/c1.html"] = site.article_page(title, ["宝鸡高新区召开党建工作推进会。" * 9])
    office.write_sources(portal(site, "a"))
    monkeypatch.setenv("PARKNEWS_CONFIG", str(office.folder / "parknews.toml"))
    return CrawlContext(load_config())


@pytest.fixture
def server(context: CrawlContext) -> Iterator[ForkServer]:
    made = fork_server(context.config)
    yield made
    made.close()


def visit(server: ForkServer, context: CrawlContext) -> Child:
    [source] = context.sources
    return start_visit(server, source, context.source_ids[source.name])


def finished(child: Child) -> int | None:
    limit = time.monotonic() + 60
    while not child.ended():
        assert time.monotonic() < limit, "took too long"
        wait_for([child], 1)
    return child.returncode


def test_a_visit_holds_no_secrets_of_mail_chats_and_web(
    server: ForkServer, context: CrawlContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKNEWS_MAIL_PASSWORD", "hush-hush")
    monkeypatch.setenv("PARKNEWS_ALERTS_WECOM_URL", "https://hush-hush.example/")
    assert finished(visit(server, context)) == 0
    assert server.process is not None
    environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    assert b"PARKNEWS_CONFIG=" in environment
    assert b"hush-hush" not in environment


def test_children_see_a_changed_configuration_and_a_killed_server_is_replaced(
    server: ForkServer, context: CrawlContext, site: Site, office: Office
) -> None:
    agents: list[str] = []

    def robots(headers: dict[str, str]) -> Answer:
        agents.append(headers["User-Agent"])
        return 404, {}, b""

    site.pages["/robots.txt"] = robots
    path = office.folder / "parknews.toml"
    for contact in ("one@example.cn", "two@example.cn"):
        path.write_text(f'[crawl]\ndelay = 0\ntimeout = 5\ncontact = "{contact}"\n', encoding="utf-8")
        assert finished(visit(server, context)) == 0
    assert ["one@example.cn" in agents[0], "two@example.cn" in agents[1]] == [True, True]
    assert server.process
    first = server.process.pid
    site.pages["/a/"] = slow_page
    child = visit(server, context)
    until(lambda: len(agents) == 3)
    os.kill(first, signal.SIGKILL)
    assert finished(child) == -signal.SIGKILL, "the child went with its server"
    site.pages["/a/"] = site.list_page([])
    assert finished(visit(server, context)) == 0
    assert server.process.pid != first
    with read_scope(context.engine) as session:
        crawls = session.scalars(select(Crawl).order_by(Crawl.id)).all()
        assert [crawl.outcome for crawl in crawls] == ["ok", "ok", "interrupted", "failed"]
        assert crawls[0].new == 1


def test_a_child_that_is_asked_to_end_records_its_visit_and_is_gone_in_time(
    server: ForkServer, context: CrawlContext, site: Site
) -> None:
    site.pages["/a/"] = slow_page
    child = visit(server, context)
    until(lambda: site.count("/robots.txt"))
    began = time.monotonic()
    end_all([child])
    assert child.returncode is not None
    assert time.monotonic() - began < GONE_SECONDS
    with read_scope(context.engine) as session:
        assert [crawl.reason for crawl in session.scalars(select(Crawl))] == ["shutdown"]


OWNER = """
import os, time
from crawler.context import CrawlContext
from scheduler.crawls import fork_server, start_visit
from store.config import load_config
context = CrawlContext(load_config())
[source] = context.sources
server = fork_server(context.config)
child = start_visit(server, source, context.source_ids[source.name])
print(server.process.pid, flush=True)
time.sleep(60)
"""


def test_a_killed_owner_leaves_neither_server_nor_child(context: CrawlContext, site: Site) -> None:
    site.pages["/a/"] = slow_page
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        server = int(owner.stdout.readline())
        until(lambda: site.count("/robots.txt"))
        [child] = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        owner.kill()
        killed = time.monotonic()
    until(lambda: has_ended(server) and has_ended(int(child)), GONE_SECONDS + 5)
    assert time.monotonic() - killed < GONE_SECONDS + 5
    with read_scope(context.engine) as session:
        assert [crawl.outcome for crawl in session.scalars(select(Crawl))] == ["interrupted"]


@pytest.mark.slow
def test_a_visit_that_never_ends_is_ended_at_its_limit_and_the_others_are_made(
    office: Office, site: Site
) -> None:
    path = office.folder / "parknews.toml"
    path.write_text("[crawl]\ndelay = 0\ntimeout = 5\nwall_seconds = 4\n", encoding="utf-8")
    link = f"/{'x' * 40}/2026/11/20/c1.html"
    for name in ("a", "b", "c"):
        site.pages[f"/{name}/"] = site.list_page([(link, "宝鸡高新区召开党建工作推进会")])
    site.pages[link] = site.article_page(
        "宝鸡高新区召开党建工作推进会", ["宝鸡高新区召开党建工作推进会。" * 9]
    )
    loops = portal(site, "a", f'include = "{PATHOLOGICAL}"').replace("127.0.0.1", "localhost")
    office.write_sources(loops + portal(site, "b") + portal(site, "c"))
    done = office.run("parknews", "crawl")
    assert done.returncode == 0, done.stderr
    assert "3 visited: 2 ok, 1 failed" in done.stdout
    assert "a: child_died: the visit went beyond its limit" in done.stdout
    with read_scope(office.engine) as session:
        sources = session.scalars(select(Source)).all()
    assert {row.name: row.last_reason for row in sources} == {"a": "child_died", "b": None, "c": None}
    assert "wall_seconds" in (sources[0].last_error or "")


FACTS = """
import json, os, sys, threading
from scheduler.forking import PRELOADED, preload
from scheduler.logs import set_up_logging
set_up_logging(False)
preload([*PRELOADED, "no_such_module"])
links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
print(json.dumps({
    "reactor": "twisted.internet.reactor" in sys.modules,
    "settings": "crawler.settings" in sys.modules,
    "threads": threading.active_count(),
    "files": [link for link in links if link.startswith("socket") or link.endswith((".db", ".toml"))],
}))
"""


def test_what_is_shared_opens_nothing_and_a_failed_import_is_said_plainly() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FACTS], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == {"reactor": False, "settings": False, "threads": 1, "files": []}
    assert "no_such_module cannot be imported" in done.stderr
    assert "ModuleNotFoundError" in done.stderr
    assert done.stderr.count("Traceback") == 1, "everything else could be imported"


def test_a_child_whose_server_died_without_a_word_counts_as_killed() -> None:
    ours, theirs = socket.socketpair()
    child = Child(ours)
    assert child.seconds < 0, "its server has not begun it"
    theirs.sendall(b'{"began": 7}\n{"tally": {}}\n{"ended"')
    assert not child.ended()
    assert 0 <= child.seconds < 60
    assert child.reports == [{"tally": {}}]
    theirs.close()
    assert child.ended()
    assert (child.returncode, child.fileno()) == (-signal.SIGKILL, -1)
    child.end()


def test_a_server_rests_only_when_nothing_was_started_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ForkServer()
    server.close()
    server.rest()
    control, other = socket.socketpair()
    server._control, server._used = control, time.monotonic()
    server.rest()
    assert control.fileno() >= 0
    monkeypatch.setattr("scheduler.forkserver.IDLE_SECONDS", 0.0)
    server.rest()
    assert control.fileno() == -1
    assert other.recv(1) == b""
    other.close()


@pytest.mark.slow
def test_a_person_who_breaks_off_a_crawl_gets_a_summary_and_leaves_no_process(
    context: CrawlContext, site: Site, office: Office
) -> None:
    site.pages["/a/"] = slow_page
    command = [str(Path(sys.executable).parent / "parknews"), "crawl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=office.folder) as crawl:
        until(lambda: site.count("/robots.txt"))
        [server] = Path(f"/proc/{crawl.pid}/task/{crawl.pid}/children").read_text().split()
        crawl.send_signal(signal.SIGINT)
        said, _ = crawl.communicate(timeout=30)
    assert "sources   1 visited" in said
    assert has_ended(int(server))
    with read_scope(context.engine) as session:
        assert [crawl.reason for crawl in session.scalars(select(Crawl))] == ["shutdown"]
