from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.channels.providers import pace_for
from digest.channels.smtp import SmtpChannel
from digest.pace import Limits, Pace
from store.config import Mail
from tests.digest.smtp_servers import Mailbox, real_server
from tests.digest.test_delivery import Office, RecordingChannel, addresses


def test_the_pace_per_minute_and_hour_holds_across_runs(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(10))
    sent = []
    for _ in range(8):
        paces = {"mail": Pace(Limits(per_minute=3, per_hour=5))}
        report = office.run({"mail": RecordingChannel()}, paces=paces)
        sent.append(report.sent)
        if report.paused_until:
            assert "pace" in (report.stopped_because or "")
            assert report.alarm is None
            office.time = report.paused_until
    assert sent == [3, 2, 3, 2, 0, 0, 0, 0]
    assert office.time == now + timedelta(hours=1, minutes=1)


def test_a_slow_domain_does_not_hold_up_the_others(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, "a@qq.com", "b@qq.com", "c@example.cn", "d@example.cn")
    pace = Pace(Limits(), {"qq.com": Limits(per_minute=1)})
    channel = RecordingChannel()
    assert office.run({"mail": channel}, paces={"mail": pace}).sent == 3
    assert "b@qq.com" not in channel.delivered
    assert office.rows()[1].next_attempt_at == now + timedelta(minutes=1)
    office.time += timedelta(minutes=1)
    assert office.run({"mail": channel}, paces={"mail": pace}).sent == 1


def test_a_provider_sets_the_pace_below_the_configured_one() -> None:
    moment = datetime.fromisoformat("2026-11-23T08:00+08:00")
    slow = pace_for(Mail(host="smtp.163.com", max_per_minute=600))
    fast = pace_for(Mail(host="mail.example.cn", max_per_minute=600))
    for number in range(9):
        slow.note(moment, f"r{number}@example.cn")
        fast.note(moment, f"r{number}@example.cn")
    assert slow.free_at(moment) > moment
    assert fast.free_at(moment) == moment


def test_the_configured_pace_holds_without_being_asked_for(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(4))
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        mail = Mail(
            host="127.0.0.1", port=port, security="none", sender="office@example.cn", max_per_minute=3
        )
        report = office.run({"mail": SmtpChannel(mail)})
    assert (report.sent, report.paused_until) == (3, now + timedelta(minutes=1))


def test_a_pace_says_itself_and_how_long_a_number_of_mails_takes() -> None:
    limits = Limits(per_minute=8, per_hour=80, per_day=200)
    assert (str(limits), str(Limits())) == ("8 a minute, 80 an hour, 200 a day", "")
    waits = [limits.time_for(count) for count in (0, 8, 9, 81, 600, 601)]
    assert waits == [
        timedelta(),
        timedelta(),
        timedelta(minutes=1),
        timedelta(hours=1),
        timedelta(days=2),
        timedelta(days=3),
    ]
    assert Limits().time_for(10_000) == timedelta()
