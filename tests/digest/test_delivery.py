from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from digest.channels.base import BeforeTheDot, DeliveryError, Parcel
from digest.channels.smtp import SmtpChannel
from digest.delivery import DeliveryReport, deliver_due, is_dead, wait_after, worker_name
from digest.message import message_id
from digest.rendering import make_environment
from store import deliveries
from store.config import Mail, RecipientEntry
from store.database import session_scope
from store.models import Delivery, Issue, Recipient
from store.recipients import add_recipient, find_recipient, unsubscribe
from tests.digest.smtp_servers import Mailbox, ScriptedServer, free_port, real_server


class Office:
    """A database with one issue and some recipients, a clock that is set by hand, and a way to deliver."""

    def __init__(self, engine: Engine, now: datetime, *addresses: str) -> None:
        self.engine, self.time = engine, now
        with session_scope(engine) as session:
            moments = dict.fromkeys(("period_start", "period_end", "due_at", "composed_at"), now)
            session.add(Issue(number=1, year=2026, year_number=1, **moments))
            session.flush()
            for address in addresses:
                add_recipient(session, RecipientEntry(address=address), now, "test")
            deliveries.enqueue(session, 1, now)

    def now(self) -> datetime:
        return self.time

    def deliver(self, port: int, **given: Any) -> DeliveryReport:
        mail = Mail(
            host="127.0.0.1",
            port=port,
            security="none",
            sender="office@example.cn",
            timeout=1,
            max_per_minute=0,
        )
        channel = SmtpChannel(mail, dot_seconds=0.3)
        return self.run({"mail": channel}, **given)

    def run(
        self, channels: Any, build: Callable[[Delivery], Parcel | None] | None = None, **given: Any
    ) -> DeliveryReport:
        return deliver_due(self.engine, channels, build or make_parcel, self.now, **given)

    def rows(self) -> list[Delivery]:
        with session_scope(self.engine) as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]


def make_parcel(row: Delivery) -> Parcel:
    address = row.recipient.address
    body = f"To: {address}\r\n\r\nhello {address}\r\n".encode()
    return Parcel(address, body, message_id(row.issue_id, address, "example.cn"))


def addresses(count: int) -> list[str]:
    return [f"r{number:03}@example.cn" for number in range(count)]


class RecordingChannel:
    """A channel written for tests: it does what it is told before and behind the dot."""

    name = "mail"

    def __init__(
        self, before: Callable[[Parcel], None] | None = None, behind: Callable[[Parcel], None] | None = None
    ) -> None:
        self.before, self.behind = before, behind
        self.delivered: list[str] = []
        self.opened = self.closed = 0

    def check(self) -> None: ...

    def open(self) -> None:
        self.opened += 1

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        if self.before:
            self.before(parcel)
        before_the_dot()
        self.delivered.append(parcel.address)
        if self.behind:
            self.behind(parcel)
        return "250 ok"

    def close(self) -> None:
        self.closed += 1


def test_everyone_gets_one_mail_and_a_second_run_sends_nothing(engine: Engine, now: datetime) -> None:
    office = Office(engine, now, *addresses(45))
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        assert office.deliver(port).sent == 45
        assert office.deliver(port).sent == 0
    assert sorted(recipients[0] for _, recipients, _ in mailbox.messages) == addresses(45)
    assert all(len(recipients) == 1 for _, recipients, _ in mailbox.messages)
    assert len(mailbox.peers) == 1
    row = office.rows()[0]
    assert (row.state, row.sent_at, row.attempts, row.reply) == ("sent", now, 1, "250 2.0.0 accepted")
    assert row.message_id == message_id(1, "r000@example.cn", "example.cn")


def test_no_mail_holds_another_recipients_address(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(5))
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        office.deliver(port)
    for _, (own,), content in mailbox.messages:
        assert not any(other.encode() in content for other in addresses(5) if other != own)


def test_greylisting_is_waited_out_with_growing_patience(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, "a@example.cn")
    script: Any = {"RCPT": [b"450 4.2.0 greylisted\r\n"] * 3 + [b"250 ok\r\n"]}
    with ScriptedServer(script) as server:
        waits = []
        while (report := office.deliver(server.port)).sent == 0:
            assert (report.retried, report.alarm) == (1, None)
            due = office.rows()[0].next_attempt_at
            assert due is not None
            waits.append((due - office.time).total_seconds())
            office.time = due - timedelta(seconds=1)
            assert office.deliver(server.port).retried == 0
            office.time = due
    assert waits == [1000, 2000, 4000]
    assert office.states() == ["sent"]


def test_patience_ends_after_five_days(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, "a@example.cn")
    with ScriptedServer({"RCPT": b"450 later\r\n"}) as server:
        office.deliver(server.port)
        office.time = now + timedelta(days=5, seconds=-1000)
        report = office.deliver(server.port)
    (row,) = office.rows()
    assert (report.failed, row.state, row.reason) == (1, "bounced", "gave_up:address_refused")


def test_a_server_that_puts_everybody_off_is_left_alone(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(60))
    with ScriptedServer({"RCPT": b"451 too many\r\n"}) as server:
        report = office.deliver(server.port)
    assert (report.retried, report.alarm, office.states().count("queued")) == (50, None, 10)


def test_the_wait_is_1000_seconds_doubling_to_4000() -> None:
    assert [wait_after(n).total_seconds() for n in (1, 2, 3, 4, 50, 10_000)] == [
        1000,
        2000,
        4000,
        4000,
        4000,
        4000,
    ]


def test_a_refused_address_is_suppressed_and_the_others_get_theirs(
    sqlite_engine: Engine, now: datetime
) -> None:
    office = Office(sqlite_engine, now, *addresses(3))
    with ScriptedServer({"RCPT": [b"550 5.1.1 no such user\r\n", b"250 ok\r\n"]}) as server:
        report = office.deliver(server.port)
        assert (report.suppressed, report.sent, report.alarm) == (1, 2, None)
        assert report.suppressed_addresses == {"r000@example.cn": "550 5.1.1 no such user"}
        assert server.connections == 1
    assert office.states() == ["suppressed", "sent", "sent"]
    with session_scope(sqlite_engine) as session:
        person = find_recipient(session, "r000@example.cn")
        assert person is not None
        assert person.suppressed_reason == "address_refused"


def test_a_server_that_knows_nobody_does_not_cost_us_everybody(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(30))
    with ScriptedServer({"RCPT": b"550 no such user\r\n"}) as server:
        report = office.deliver(server.port)
    assert report.suppressed == 10
    assert "in a row" in (report.alarm or "")
    assert office.states().count("queued") == 20


@pytest.mark.parametrize(
    "script",
    [
        {"MAIL": b"550 sender refused\r\n"},
        {"DATA": b"554 spam\r\n"},
        {".": b"554 spam\r\n"},
        {"RCPT": b"554 5.7.1 relay denied\r\n"},
    ],
)
def test_our_own_fault_stops_the_run_with_an_alarm_and_suppresses_nobody(
    sqlite_engine: Engine, now: datetime, script: Any, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(sqlite_engine, now, *addresses(5))
    with ScriptedServer(script) as server:
        report = office.deliver(server.port)
        assert sum(line.startswith("MAIL") for line in server.heard) == 1
    assert (report.sent, report.suppressed, report.retried) == (0, 0, 1)
    assert report.alarm
    assert report.alarm == report.stopped_because
    assert [record.levelname for record in caplog.records] == ["WARNING"], (
        "whoever asked for the run tells the rest"
    )
    assert office.states() == ["retry", *["queued"] * 4]
    assert [row.attempts for row in office.rows()] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("answer", [None, b"garbage\r\n", lambda connection: time.sleep(0.6)])
def test_silence_and_garbage_behind_the_dot_wait_for_a_person(
    sqlite_engine: Engine, now: datetime, answer: Any
) -> None:
    office = Office(sqlite_engine, now, *addresses(3))
    with ScriptedServer({".": [answer, b"250 ok\r\n"]}) as server:
        report = office.deliver(server.port)
        assert (report.in_doubt, report.sent) == (1, 2)
        office.time += timedelta(days=3)
        assert office.deliver(server.port).sent == 0
    assert office.states() == ["in_doubt", "sent", "sent"]


def test_a_server_that_always_leaves_us_in_doubt_is_left_alone(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(6))
    with ScriptedServer({".": None}) as server:
        report = office.deliver(server.port)
    assert (report.in_doubt, office.states().count("queued")) == (2, 4)
    assert "may have arrived" in (report.alarm or "")


def test_a_drop_before_the_dot_is_tried_again_by_itself(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(2))
    with ScriptedServer({"DATA": [None, b"354 go on\r\n"]}) as server:
        assert office.deliver(server.port).retried == 1
        office.time += timedelta(seconds=1000)
        assert office.deliver(server.port).sent == 1
    assert office.states() == ["sent", "sent"]


def test_a_server_that_keeps_breaking_down_is_left_alone(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(9))
    with ScriptedServer({"MAIL": b"421 overloaded\r\n"}) as server:
        report = office.deliver(server.port)
    assert (report.retried, office.states().count("queued")) == (3, 6)
    assert report.alarm


def test_a_port_that_refuses_mail_stops_before_anything_is_composed(
    sqlite_engine: Engine, now: datetime
) -> None:
    office = Office(sqlite_engine, now, *addresses(3))
    composed: list[int] = []

    def build(row: Delivery) -> Parcel:
        composed.append(row.id)
        return make_parcel(row)

    port = free_port()
    report = office.deliver(port, build=build)
    assert f"127.0.0.1:{port}" in (report.alarm or "")
    assert not composed
    assert office.states() == ["queued"] * 3
    assert [row.attempts for row in office.rows()] == [0, 0, 0]


def test_nothing_for_a_recipient_is_noted_and_not_sent(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(2))
    channel = RecordingChannel()
    report = office.run({"mail": channel}, lambda row: make_parcel(row) if row.id == 2 else None)
    assert (report.skipped, report.sent) == (1, 1)
    assert [(row.state, row.reason) for row in office.rows()] == [
        ("skipped", "nothing_to_send"),
        ("sent", None),
    ]


def test_one_edition_that_cannot_be_built_keeps_nobody_else_waiting(
    sqlite_engine: Engine, now: datetime
) -> None:
    office = Office(sqlite_engine, now, *addresses(3))
    channel = RecordingChannel()

    def build(row: Delivery) -> Parcel:
        if row.id == 1:
            raise ZeroDivisionError("broken template")
        return make_parcel(row)

    report = office.run({"mail": channel}, build)
    assert (report.failed, report.sent) == (1, 2)
    assert report.alarm == (
        "delivery 1 cannot be made: ZeroDivisionError: broken template; the log says where"
    )
    row = office.rows()[0]
    assert (row.state, row.reason) == ("retry", "build_failed")
    assert "broken template" in (row.reply or "")


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("\n{{ head.", "2: expected name or number"),
        ("\n{{ head.nmae }}", "2: "),
        ("\n{{ 1 / 0 }}", "2: division by zero"),
    ],
)
def test_a_broken_template_is_told_by_its_line_and_without_a_traceback(
    sqlite_engine: Engine,
    now: datetime,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    template: str,
    fault: str,
) -> None:
    (tmp_path / "weekly").mkdir()
    (tmp_path / "weekly" / "subject.txt").write_text(template)
    environment = make_environment(str(tmp_path))

    def build(row: Delivery) -> Parcel:
        environment.get_template("weekly/subject.txt").render(head={})
        return make_parcel(row)

    report = Office(sqlite_engine, now, *addresses(1)).run({"mail": RecordingChannel()}, build)
    assert report.alarm
    assert report.alarm.startswith(
        f"delivery 1 cannot be made: {tmp_path / 'weekly' / 'subject.txt'}:{fault}"
    )
    assert report.alarm.endswith("`parknews template check` tells more")
    assert [record.exc_info for record in caplog.records] == [None]


def test_an_issue_that_cannot_be_built_for_anybody_is_one_alarm_and_not_tried_for_everybody(
    sqlite_engine: Engine, now: datetime
) -> None:
    office = Office(sqlite_engine, now, *addresses(30))

    def build(row: Delivery) -> Parcel:
        raise ZeroDivisionError("broken template")

    report = office.run({"mail": RecordingChannel()}, build)
    assert (report.failed, office.states().count("queued")) == (10, 20)
    assert (report.alarm or "").count("broken template") == 1


def test_mails_that_are_all_too_large_are_one_alarm(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(5))
    with ScriptedServer({"EHLO": b"250-x\r\n250 SIZE 20\r\n"}) as server:
        report = office.deliver(server.port)
    assert (report.failed, office.states()) == (5, ["skipped"] * 5)
    assert (report.alarm or "").count("send the digest without attachments") == 1


def test_a_channels_own_mistake_is_judged_by_where_it_happened(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(2))

    def fail(parcel: Parcel) -> None:
        raise KeyError(parcel.address)

    office.run(
        {"mail": RecordingChannel(behind=lambda parcel: fail(parcel) if "r000" in parcel.address else None)}
    )
    assert office.states() == ["in_doubt", "sent"]
    other = RecordingChannel(before=fail)
    with session_scope(sqlite_engine) as session:
        session.execute(update(Delivery).values(state="queued"))
    report = office.run({"mail": other})
    assert office.states() == ["retry", "retry"]
    assert report.sent == 0
    assert other.closed


def test_who_leaves_while_the_run_goes_on_gets_nothing_more(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(3))

    def leave(parcel: Parcel) -> None:
        if "r001" in parcel.address:
            with session_scope(sqlite_engine) as session:
                unsubscribe(session, session.get_one(Recipient, 2), now)

    channel = RecordingChannel(before=leave)
    office.run({"mail": channel})
    assert channel.delivered == ["r000@example.cn", "r002@example.cn"]
    assert office.states() == ["sent", "suppressed", "sent"]


def test_a_stop_between_two_mails_gives_the_rest_back(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(8))
    channel = RecordingChannel()
    report = office.run({"mail": channel}, stop=lambda: len(channel.delivered) >= 3)
    assert (report.sent, report.stopped_because, report.alarm) == (3, "asked to stop", None)
    assert office.states() == ["sent"] * 3 + ["queued"] * 5
    assert channel.closed == 1


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_signal_gives_the_claimed_rows_back_and_passes_through(
    sqlite_engine: Engine, now: datetime, signal: type[BaseException]
) -> None:
    office = Office(sqlite_engine, now, *addresses(4))

    def interrupt(parcel: Parcel) -> None:
        if "r002" in parcel.address:
            raise signal

    with pytest.raises(signal):
        office.run({"mail": RecordingChannel(before=interrupt)}, worker="first")
    assert office.states() == ["sent", "sent", "sending", "queued"]
    office.time += timedelta(hours=1)
    assert office.run({"mail": RecordingChannel()}).sent == 2


def test_two_runs_at_once_send_each_mail_once(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(60))
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        runs = [
            threading.Thread(target=office.deliver, args=(port,), kwargs={"worker": "same"}) for _ in range(3)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    assert sorted(recipients[0] for _, recipients, _ in mailbox.messages) == addresses(60)


def test_rows_of_a_channel_nobody_set_up_are_told(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(2))
    assert office.run({}).unserved == 2


def test_a_channel_that_fails_does_not_stop_another(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now)
    with session_scope(sqlite_engine) as session:
        add_recipient(
            session, RecipientEntry(address="a@example.cn", channels=["folder", "mail"]), now, "test"
        )
        deliveries.enqueue(session, 1, now)

    def fail(parcel: Parcel) -> None:
        raise DeliveryError("the folder is gone", permanent=True)

    report = office.run({"folder": RecordingChannel(before=fail), "mail": RecordingChannel()})
    assert report.sent == 1
    assert report.alarm == "the folder is gone"


def test_a_worker_of_this_machine_that_is_no_more_is_known_for_dead() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    host = worker_name().split(":")[0]
    own = worker_name()
    assert is_dead(f"{host}:{child}:abc", own)
    assert not is_dead(own, own)
    assert is_dead(f"{host}:{os.getpid()}:other", own)
    assert not is_dead(f"{host}:{os.getppid()}:abc", own)
    assert not is_dead(f"elsewhere:{child}:abc", own)
    assert not is_dead("nonsense", own)
    assert not is_dead(f"{host}:1:abc", own)
