"""Alerts: raised once, cleared once, told once; and the alarm when nothing goes out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from scheduler import jobs, monitors
from scheduler.context import Installation
from scheduler.demo.smtp import SmtpSink
from scheduler.jobs import CrawlJob
from scheduler.monitors import Pauses, deadman, report_alerts, run_monitors
from scheduler.work import Work
from store.alerts import open_alerts, raise_alert
from store.config import Config, Daemon, Mail, RecipientEntry
from store.database import read_scope, session_scope
from store.deliveries import enqueue
from store.leases import acquire
from store.models import Issue, Source
from store.recipients import add_recipient
from store.schema import ensure
from store.sources import Visit, finish_crawl, start_crawl
from store.status import ALERT_WORDS
from store.watch import FAULTS
from tests.digest.test_channels import Receiver, receiver  # noqa: F401  a fixture


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "sources.toml").write_text("")
    made = Installation(Config(base=str(tmp_path)))
    ensure(made.engine)
    return made


def test_every_kind_of_alert_that_is_raised_has_its_word_and_no_other() -> None:
    raised = re.findall(r"Finding\(\s*\"(\w+)\"", inspect.getsource(monitors))
    raised += re.findall(r"note_trouble\(installation, \"(\w+)\"", inspect.getsource(jobs))
    assert {*raised, *FAULTS} == set(ALERT_WORDS)


def with_mail(installation: Installation, port: int) -> Installation:
    mail = Mail(host="127.0.0.1", port=port, security="none", sender="digest@example.org", timeout=5)
    engine = installation.engine
    installation.config = msgspec.structs.replace(installation.config, mail=mail, operators=["op@example.cn"])
    installation.__dict__["engine"] = engine
    return installation


def add_sources(installation: Installation, now: datetime, *names: str, days: int = 0) -> None:
    with session_scope(installation.engine) as session:
        for name in names:
            session.add(
                Source(name=name, kind="portal", next_check_at=now, first_seen_at=now - timedelta(days=days))
            )


def visit(
    installation: Installation, name: str, now: datetime, outcome: str = "ok", reason: str = "", new: int = 0
) -> None:
    with session_scope(installation.engine) as session:
        source = session.query(Source).filter_by(name=name).one()
        crawl = start_crawl(session, source.id, now)
        error = f"{reason}: http://example.cn/" if reason else None
        finish_crawl(session, crawl.id, Visit(outcome, reason or None, error, new=new), {}, now)


def standing(installation: Installation) -> set[tuple[str, str]]:
    with read_scope(installation.engine) as session:
        return {(alert.kind, alert.subject) for alert in open_alerts(session)}


def add_issue(installation: Installation, due: datetime, composed: datetime | None = None) -> None:
    with session_scope(installation.engine) as session:
        issue = Issue(
            number=1,
            year=2026,
            year_number=1,
            period_start=due - timedelta(days=7),
            period_end=composed or due,
            due_at=due,
            composed_at=composed or due,
        )
        session.add(issue)
        add_recipient(session, RecipientEntry(address="a@example.cn"), due, "test")
        session.flush()
        enqueue(session, issue.id, due)


def test_who_waits_since_a_day_is_told_for_what(installation: Installation, now: datetime) -> None:
    def detail() -> str:
        found = run_monitors(installation, now + timedelta(hours=25))
        return next(finding.detail for finding in found if finding.kind == "stuck_delivery")

    add_issue(installation, now)
    assert detail() == "1 wait since a day, 0 attempt(s): no mail server is configured"
    with_mail(installation, 25)
    assert "more than the pace of the server lets go" in detail()


def test_a_fault_is_told_once_and_its_end_once(
    installation: Installation, now: datetime, tmp_path: Path
) -> None:
    add_sources(installation, now, "good", "bad")
    with SmtpSink(tmp_path / "mail") as sink:
        with_mail(installation, sink.port)
        for number in range(6):
            at = now + timedelta(hours=number)
            visit(installation, "good", at, new=1)
            visit(installation, "bad", at, "failed", "http_403") if number < 4 else visit(
                installation, "bad", at, new=1
            )
            run_monitors(installation, at)
            report_alerts(installation, at)
        mails = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in sink.messages()]
    texts = [mail.get_body(("plain",)).get_content() for mail in mails]  # type: ignore[union-attr]
    assert len(texts) == 2
    assert "来源拒绝访问：bad" in texts[0]
    assert "http_403" in texts[0]
    assert "，2026-11-23 08:00起" in texts[0]
    assert "已经恢复" in texts[1]
    assert standing(installation) == set()


def test_alerts_that_could_not_be_sent_are_sent_later(
    installation: Installation, now: datetime, tmp_path: Path
) -> None:
    add_sources(installation, now, "bad")
    for number in range(2):
        visit(installation, "bad", now + timedelta(hours=number), "failed", "certificate")
    run_monitors(installation, now)
    with SmtpSink(tmp_path / "mail") as sink:
        port = sink.port
    assert report_alerts(with_mail(installation, port), now) == 0
    with SmtpSink(tmp_path / "mail", port=port) as sink:
        assert report_alerts(installation, now) == 1
        assert report_alerts(installation, now) == 0
        assert len(sink.messages()) == 1


def with_robot(installation: Installation, url: str, patch: pytest.MonkeyPatch) -> None:
    engine = installation.engine
    operators = [*installation.config.operators, "wecom"]
    installation.config = msgspec.structs.replace(installation.config, operators=operators)
    installation.__dict__["engine"] = engine
    patch.setenv("PARKNEWS_ALERTS_WECOM_URL", url)


def test_each_operator_is_told_of_each_change_once_whatever_befalls_the_others(
    installation: Installation,
    now: datetime,
    tmp_path: Path,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_sources(installation, now, "bad", "worse")
    pauses = Pauses()
    with SmtpSink(tmp_path / "mail") as sink:
        with_mail(installation, sink.port)
        with_robot(installation, receiver.url, monkeypatch)
        receiver.status = 500
        bad = {0: "worse", 1: "worse bad", 2: "worse bad", 3: "worse", 4: "worse"}
        for number in range(8):
            at = now + timedelta(hours=number)
            for name in ("bad", "worse"):
                failing = name in bad.get(number, "")
                visit(
                    installation,
                    name,
                    at,
                    "failed" if failing else "ok",
                    "http_403" if failing else "",
                    new=1,
                )
            if number == 5:
                receiver.status = 200
            run_monitors(installation, at)
            report_alerts(installation, at, pauses)
            report_alerts(installation, at, pauses)
        mails = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in sink.messages()]
    subjects = [str(mail["Subject"]).partition("：")[2] for mail in mails]
    assert subjects == ["1项待处理", "1项待处理", "1项已恢复", "1项已恢复"]
    told = [body.decode() for _, _, body in receiver.requests if b"worse" in body]
    assert "1项待处理" in told[-2]
    assert "1项已恢复" in told[-1]
    assert "：bad" not in told[-1]  # was over before the robot could be told of it
    assert len([body for body in told if "已恢复" in body]) == 1


def test_who_cannot_be_told_is_tried_at_the_next_tick_and_then_less_and_less_often(now: datetime) -> None:
    pauses, tried = Pauses(), []
    for minute in range(6 * 60):
        at = now + timedelta(minutes=minute)
        if pauses.over("wecom", at):
            tried.append(minute)
            pauses.note("wecom", at, failed=True)
    assert tried == [0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304]
    pauses.note("wecom", now, failed=False)
    assert pauses.over("wecom", now)


def test_while_another_process_tells_the_operators_this_one_does_not(
    installation: Installation,
    now: datetime,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_robot(installation, receiver.url, monkeypatch)
    deadman(installation, now)
    with session_scope(installation.engine) as session:
        acquire(session, "alarms", "another", now, 60)
    assert report_alerts(installation, now) == 0
    assert report_alerts(installation, now + timedelta(minutes=2)) == 1
    assert len(receiver.requests) == 1


def test_a_robot_named_later_hears_only_of_what_is_new(
    installation: Installation,
    now: datetime,
    receiver: Receiver,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deadman(installation, now)
    assert report_alerts(installation, now) == 0
    with_robot(installation, receiver.url, monkeypatch)
    assert report_alerts(installation, now) == 0
    with session_scope(installation.engine) as session:
        raise_alert(session, "network", "this machine", "x", now)
    assert report_alerts(installation, now) == 1
    assert "daemon" not in receiver.requests[0][2].decode()


def test_when_most_sources_are_away_at_once_it_is_this_machine(
    installation: Installation, now: datetime
) -> None:
    names = [f"s{number}" for number in range(8)]
    add_sources(installation, now, *names)
    for number in range(2):
        for name in names:
            visit(installation, name, now + timedelta(minutes=number), "failed", "dns")
    run_monitors(installation, now)
    assert standing(installation) == {("network", "this machine")}
    for number in range(2):
        for name in names[1:]:
            visit(installation, name, now + timedelta(hours=1, minutes=number), new=1)
    run_monitors(installation, now + timedelta(hours=2))
    assert standing(installation) == {("unreachable", "s0")}


def test_a_paused_source_raises_nothing(installation: Installation, now: datetime) -> None:
    add_sources(installation, now, "bad")
    for number in range(2):
        visit(installation, "bad", now + timedelta(hours=number), "failed", "robots")
    run_monitors(installation, now)
    assert standing(installation) == {("robots_changed", "bad")}
    with session_scope(installation.engine) as session:
        session.query(Source).update({"enabled": False, "state": "paused"})
    run_monitors(installation, now)
    assert standing(installation) == set()


def test_a_source_that_never_brought_anything_is_told_of(installation: Installation, now: datetime) -> None:
    add_sources(installation, now - timedelta(minutes=1), "empty", days=30)
    visit(installation, "empty", now)
    run_monitors(installation, now)
    assert ("silent_source", "empty") in standing(installation)


@pytest.mark.parametrize(("minutes", "late"), [(29, False), (31, True)])
def test_an_issue_that_is_not_there_after_half_an_hour_is_an_alarm(
    installation: Installation, now: datetime, minutes: int, late: bool
) -> None:
    add_sources(installation, now, "good", days=30)
    visit(installation, "good", now, new=1)
    add_issue(installation, now - timedelta(days=7))
    run_monitors(installation, now + timedelta(minutes=minutes))
    assert (("late_issue", "weekly") in standing(installation)) is late


def test_an_issue_that_nobody_received_is_an_alarm(installation: Installation, now: datetime) -> None:
    add_issue(installation, now)
    run_monitors(installation, now + timedelta(minutes=29))
    assert ("issue_not_sent", "issue 1") not in standing(installation)
    run_monitors(installation, now + timedelta(minutes=31))
    assert ("issue_not_sent", "issue 1") in standing(installation)


def test_a_clock_behind_what_was_recorded_is_told_of(installation: Installation, now: datetime) -> None:
    add_sources(installation, now, "good")
    visit(installation, "good", now, new=1)
    run_monitors(installation, now - timedelta(days=365))
    assert ("clock", "this machine") in standing(installation)


def test_a_faulty_sources_file_is_told_of(installation: Installation, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text("[[source]]\nname = 1\n")
    run_monitors(installation, now)
    assert standing(installation) == {("sources_file", "sources")}
    (tmp_path / "sources.toml").write_text("")
    run_monitors(installation, now)
    assert standing(installation) == set()


def test_the_dead_man_says_when_no_daemon_runs_and_when_nothing_went_out(
    installation: Installation, now: datetime
) -> None:
    add_sources(installation, now, "good", days=30)
    assert [finding.kind for finding in deadman(installation, now + timedelta(hours=1))] == [
        "late_issue",
        "daemon_dead",
    ]
    with session_scope(installation.engine) as session:
        acquire(session, "daemon", "x", now, 90)
    assert deadman(installation, now + timedelta(minutes=1)) == []
    assert standing(installation) == {("late_issue", "weekly")}


@pytest.fixture
def pinged() -> list[str]:
    return []


@pytest.fixture
def ping_url(pinged: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pinged.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/ping"
        server.shutdown()


def test_the_outside_watcher_is_pinged_while_issues_go_out(
    installation: Installation, now: datetime, ping_url: str, pinged: list[str]
) -> None:
    engine = installation.engine
    installation.config = msgspec.structs.replace(installation.config, daemon=Daemon(ping_url=ping_url))
    installation.__dict__["engine"] = engine
    clock: Callable[[], datetime] = lambda: now  # noqa: E731
    work = Work(installation, clock, CrawlJob(installation, "x"))
    for minutes in range(11):
        work.watch(now + timedelta(minutes=minutes))
    assert pinged == ["/ping"] * 3
    add_issue(installation, now)
    work.watch(now + timedelta(hours=1))
    assert len(pinged) == 3
