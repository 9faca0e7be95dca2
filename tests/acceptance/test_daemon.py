"""`parknews daemon` as real processes over a loopback site and a real mail server: its hour, its end, its death, its second."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from scheduler.demo.smtp import SmtpSink
from store.database import read_scope
from store.models import Article, Crawl, Delivery, Issue, Source
from tests.loopback import Answer, Office, Site
from tests.processes import cpu_seconds, memory, parents

PARKNEWS = str(Path(sys.executable).parent / "parknews")
ZONE = ZoneInfo("Asia/Shanghai")
RECIPIENTS = ("a@example.cn", "b@example.cn", "c@example.cn")


@dataclass
class Running:
    """A daemon with its log."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        return self.path.read_text(encoding="utf-8", errors="replace")

    def children(self) -> list[int]:
        """Crawling children of this daemon: its fork server's, zombies left out."""
        above = parents()
        return [pid for pid, parent in above.items() if above.get(parent) == self.process.pid]

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send the signal; return the seconds until the process had ended."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - started


@dataclass
class Station:
    """An office's folder in which daemons are started."""

    office: Office
    daemons: list[Running] = field(default_factory=list)

    def configure(self, port: int, *, due: datetime, lease: int = 6, wall: int = 60) -> None:
        local = due.astimezone(ZONE)
        entries = "".join(f'[[recipient]]\naddress = "{address}"\n' for address in RECIPIENTS)
        (self.office.folder / "parknews.toml").write_text(
            f"""{entries}
[crawl]
delay = 0
timeout = 20
wall_seconds = {wall}
[digest]
weekday = "{("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]}"
hour = "{local:%H:%M}"
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "digest@example.org"
timeout = 5
max_per_minute = 600
[daemon]
tick_seconds = 1
lease_seconds = {lease}
""",
            encoding="utf-8",
        )

    def start(self, *options: str) -> Running:
        path = self.office.folder / f"daemon-{len(self.daemons)}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
        environment |= {"PARKNEWS_CONFIG": str(self.office.folder / "parknews.toml")}
        with path.open("wb") as log:
            process = subprocess.Popen(
                [PARKNEWS, "daemon", *options], stderr=log, stdout=log, env=environment
            )
        self.daemons.append(Running(process, path))
        return self.daemons[-1]

    def count(self, what: type, *conditions: object) -> int:
        with read_scope(self.office.engine) as session:
            return session.scalar(select(func.count()).select_from(what).where(*conditions)) or 0  # type: ignore[arg-type]

    def states(self) -> dict[str, int]:
        with read_scope(self.office.engine) as session:
            rows = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
            return {str(state): number for state, number in rows.all()}


@pytest.fixture
def station(office: Office) -> Iterator[Station]:
    made = Station(office)
    yield made
    for daemon in made.daemons:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def until(what: Callable[[], object], seconds: float = 90) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if what():
                return
        except Exception:  # noqa: BLE001  the database may not be there yet
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def fill(site: Site, count: int, *, prefix: str = "/a", seconds: float = 0) -> None:
    def page(number: int) -> Callable[[dict[str, str]], Answer]:
        paragraphs = [
            f"宝鸡高新区第{number}次“红链”党建联席会在企业党群服务中心召开，{number + 3}家链上企业党组织书记参加。",
            "会议要求以高质量党建引领产业链发展，组建党员突击队，把支部建在产业链上，推动两新组织党建走深走实。",
        ]

        def answer(_: dict[str, str]) -> Answer:
            time.sleep(seconds)
            body = site.article_page(f"宝鸡高新区召开第{number}次产业链党建联席会", paragraphs)
            return 200, {"Content-Type": "text/html; charset=utf-8"}, body

        return answer

    links = []
    for number in range(count):
        path = f"{prefix}/2026/11/20/c{number}.html"
        site.pages[path] = page(number)
        links.append((path, f"宝鸡高新区召开第{number}次产业链党建联席会"))
    site.pages[f"{prefix}/"] = site.list_page(links)


def source(site: Site, name: str, path: str, port: int | None = None) -> str:
    return f'[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "{name}"\nurls = ["http://127.0.0.1:{port or site.port}{path}"]\ninternal = true\n'


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def due_now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=2)


def far_away() -> datetime:
    return datetime.now(UTC) - timedelta(days=3)


def test_a_first_day_crawls_then_composes_then_sends_and_a_restart_sends_nothing_twice(
    station: Station, site: Site, tmp_path: Path
) -> None:
    fill(site, 6)
    station.office.write_sources(
        source(site, "paper", "/a/")
        + source(site, "gone", "/gone/")
        + source(site, "dead", "/", closed_port())
    )
    refusals = {"RCPT": {"b@example.cn": "450 4.2.1 try later"}}
    with SmtpSink(tmp_path / "mail", reply_to=refusals) as sink:
        station.configure(sink.port, due=due_now())
        first = station.start()
        until(lambda: station.count(Delivery, Delivery.state == "sent") == 2)
        assert first.end() <= 10
        assert first.process.returncode == 0
        assert station.count(Article) == 6
        with read_scope(station.office.engine) as session:
            issue = session.scalars(select(Issue)).one()
            assert issue.content["counts"]["stories"] == 6, "the issue waited for the first crawl"
            failing = {
                row.name: row.error_count for row in session.scalars(select(Source)) if row.error_count
            }
        assert set(failing) == {"gone", "dead"}
        assert station.states() == {"sent": 2, "retry": 1}
        again = station.start()
        until(lambda: "leading" in again.log)
        time.sleep(4)
        assert again.end() <= 10
        assert station.count(Issue) == 1
        assert sorted(address for sent in sink.envelopes() for address in sent["rcpt_to"]) == [  # type: ignore[attr-defined]
            "a@example.cn",
            "c@example.cn",
        ]
        assert not re.search(r"job \w+ failed", first.log + again.log)


def test_sigterm_in_the_middle_of_a_slow_crawl_keeps_what_came_and_leaves_no_child(
    station: Station, site: Site
) -> None:
    fill(site, 12, seconds=1.5)
    station.office.write_sources(source(site, "slow", "/a/"))
    station.configure(closed_port(), due=far_away())
    daemon = station.start()
    until(lambda: station.count(Article) >= 2)
    children = daemon.children()
    assert len(children) == 1
    assert daemon.end() <= 10
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    kept = station.count(Article)
    assert 2 <= kept < 12, "the crawl was in its middle"
    with read_scope(station.office.engine) as session:
        assert [crawl.outcome for crawl in session.scalars(select(Crawl))] == ["interrupted"]
        row = session.scalars(select(Source)).one()
        assert row.next_check_at
        assert row.next_check_at <= datetime.now(UTC)
    assert "Traceback" not in daemon.log


def test_a_second_daemon_takes_over_within_the_lease_and_nothing_is_sent_twice(
    station: Station, site: Site, tmp_path: Path
) -> None:
    fill(site, 3)
    fill(site, 30, prefix="/slow", seconds=1)
    station.office.write_sources(source(site, "quick", "/a/") + source(site, "slow", "/slow/"))
    with SmtpSink(tmp_path / "mail") as sink:
        station.configure(sink.port, due=due_now(), lease=6)
        first = station.start()
        until(lambda: "leading" in first.log)
        second = station.start()
        until(lambda: "standing by" in second.log)
        until(lambda: station.count(Article) >= 5)  # three of them from the quick one
        assert second.children() == []
        orphans = first.children()
        assert len(orphans) == 1, "both sources are of one host"
        first.end(signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: "leading now" in second.log, 15)
        assert time.monotonic() - killed <= 6 + 5
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), 20)
        until(second.children, 40)
        until(lambda: station.states() == {"sent": 3}, 90)
        assert second.end() <= 10
        assert station.count(Issue) == 1
        assert len(sink.messages()) == 3
        assert station.count(Crawl, Crawl.outcome == "running") == 0
        assert not re.search(r"job \w+ failed", second.log)


def test_a_bad_mail_port_is_said_plainly_and_tried_again_until_the_server_is_there(
    station: Station, site: Site, tmp_path: Path
) -> None:
    fill(site, 2)
    station.office.write_sources(source(site, "paper", "/a/"))
    port = closed_port()
    station.configure(port, due=due_now())
    daemon = station.start()
    until(lambda: f"127.0.0.1:{port}" in daemon.log)
    time.sleep(3)
    lines = [line for line in daemon.log.splitlines() if re.search(r"deliveries wait \d+ s", line)]
    assert len(lines) == 1
    assert daemon.end() <= 10
    with SmtpSink(tmp_path / "mail", port=port) as sink:
        daemon = station.start()
        until(lambda: len(sink.messages()) == 3)
        assert daemon.end() <= 10
    assert station.states() == {"sent": 3}


def test_a_mail_server_that_never_answers_does_not_hold_up_the_end(station: Station, site: Site) -> None:
    fill(site, 2)
    station.office.write_sources(source(site, "paper", "/a/"))
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        station.configure(hole.getsockname()[1], due=due_now())
        path = station.office.folder / "parknews.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("timeout = 5", "timeout = 60"))
        daemon = station.start()
        until(lambda: station.count(Issue) == 1)
        time.sleep(2)
        assert daemon.end() <= 10


def test_a_faulty_sources_file_stops_new_crawls_until_it_is_corrected(station: Station, site: Site) -> None:
    fill(site, 2)
    station.office.write_sources(source(site, "paper", "/a/"))
    station.configure(closed_port(), due=far_away())
    daemon = station.start("--json-logs")
    until(lambda: station.count(Article) == 2)
    station.office.write_sources("[[source]]\nname = 3\n")
    until(lambda: "sources.toml" in daemon.log)
    fill(site, 3, prefix="/b")
    gone = source(site, "gone", "/a/", closed_port())
    station.office.write_sources(source(site, "paper", "/a/") + source(site, "other", "/b/") + gone)
    until(lambda: station.count(Source) == 3)
    until(lambda: station.count(Crawl, Crawl.outcome == "ok") >= 2)
    until(lambda: station.count(Crawl, Crawl.outcome == "failed") >= 1)
    assert daemon.end() <= 10
    lines = [json.loads(line) for line in daemon.log.splitlines()]
    assert {line["source"] for line in lines if "source" in line} == {"paper", "other", "gone"}
    assert len({line["run"] for line in lines}) >= 4, "the daemon's and one for each crawl"
    (told,) = [line for line in lines if line.get("source") == "gone"]
    assert (told["level"], told["logger"]) == ("WARNING", "crawler.extensions"), "and no line of a library's"
    assert "failed (refused_connection)" in told["message"]
    assert "Connection refused" in told["message"]


def test_an_idle_daemon_is_small_and_quiet(station: Station, site: Site) -> None:
    fill(site, 2)
    station.office.write_sources(source(site, "paper", "/a/"))
    station.configure(closed_port(), due=far_away())
    path = station.office.folder / "parknews.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("tick_seconds = 1", "tick_seconds = 30"))
    daemon = station.start()
    until(lambda: station.count(Crawl, Crawl.outcome == "ok") == 1)
    time.sleep(3)
    before = cpu_seconds(daemon.process.pid)
    time.sleep(15)
    used = cpu_seconds(daemon.process.pid) - before
    resident = memory(daemon.process.pid, "VmRSS")
    print(f"idle daemon: {resident:.0f} MB, {used / 15:.2%} of a core")
    assert resident <= 120
    assert used / 15 <= 0.03, "one per cent, and two for the machine's other work"
