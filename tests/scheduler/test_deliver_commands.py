"""`parknews deliver` with a real mail server on loopback, a ledger in SQLite, and an operator's commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.demo.smtp import HANG_UP, SmtpSink
from store.alerts import open_alerts
from store.database import read_scope, session_scope
from store.deliveries import summary
from store.models import Audit
from store.schema import upgrade
from tests.digest.frozen_sample import add_people, enqueue, freeze_sample
from tests.loopback import Office

SECRET = "a secret only for tests, long enough"


@contextmanager
def mail_server(office: Office, **reply_to: dict[str, str]) -> Iterator[SmtpSink]:
    """A mail server the office is set up for; three recipients wait for one issue."""
    with SmtpSink(office.folder / "mail", reply_to=reply_to) as sink:
        settings = f'host = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\nsender = "office@example.cn"\ntimeout = 3\n'
        (office.folder / "parknews.toml").write_text(
            f'[mail]\n{settings}[digest]\npublic_url = "https://news.example.cn"\n', encoding="utf-8"
        )
        office.secrets["PARKNEWS_WEB_SECRET"] = SECRET
        (office.folder / "var").mkdir(exist_ok=True)
        upgrade(office.engine)
        with session_scope(office.engine) as session:
            number = freeze_sample(session, 8)
            add_people(session, 3)
            enqueue(session, number)
        yield sink


def deliver(office: Office, *words: str, code: int = 0) -> str:
    done = office.call("parknews", "deliver", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def states(office: Office) -> dict[str, int]:
    with read_scope(office.engine) as session:
        return summary(session, 1)


def alerts(office: Office) -> list[tuple[str, str]]:
    with read_scope(office.engine) as session:
        return [(alert.kind, alert.detail) for alert in open_alerts(session)]


def test_everything_due_is_sent_once(office: Office) -> None:
    with mail_server(office) as sink:
        assert deliver(office, "--dry-run").startswith("3 would be sent by folder, mail, webpage; 0 wait")
        done = office.run("parknews", "deliver")
        assert (done.returncode, done.stdout) == (0, "3 sent\n"), done.stderr
        assert "nothing was due" in deliver(office)
        assert deliver(office, "--in-doubt") == "0 in doubt\n"
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sink.messages()]
    assert sorted(str(mail["To"].addresses[0].addr_spec) for mail in mails) == [
        f"r{n}@example.cn" for n in range(3)
    ]
    assert all(mail["List-Unsubscribe"].startswith("<https://news.example.cn/u/") for mail in mails)
    names = [next(mail.iter_attachments()).get_filename() for mail in mails]
    assert all(name and name.endswith(".docx") for name in names)


def test_an_issue_that_went_out_before_a_restore_is_composed_and_nobody_gets_it_again(office: Office) -> None:
    (office.folder / "parknews.toml").write_text(
        '[[recipient]]\naddress = "a@example.cn"\nsend_empty = true\n'
    )
    composed = office.call("parknews", "issue", "compose", "--at", "2026-11-23T08:00", "--already-sent")
    assert composed.returncode == 0, composed.stderr
    assert states(office) == {"sent": 1}
    assert "nothing was due" in deliver(office)
    with read_scope(office.engine) as session:
        settled = session.scalars(select(Audit).where(Audit.what == "delivery.settle")).all()
    assert [(act.target, act.detail) for act in settled] == [("issue:1", {"sent": True, "count": 1})]


def test_what_is_in_doubt_waits_for_a_person(office: Office) -> None:
    with mail_server(office, END={"r1@example.cn": HANG_UP}) as sink:
        assert deliver(office).startswith("2 sent, 1 in doubt\n  1 in doubt: `parknews deliver --in-doubt`")
        assert deliver(office).startswith("nothing was due\n  1 in doubt: ")
        listed = deliver(office, "--in-doubt")
        number = re.match(
            r" +(\d+) issue 47 to r1@example\.cn by mail at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", listed
        )
        assert number
        assert "the connection broke before the answer came" in listed
        assert re.search(r"Message-ID <1\.[0-9a-f]+@example\.cn>", listed)
        assert "say --arrived" in deliver(office, "--settle", number[1], code=2)
        assert "is not in doubt" in deliver(office, "--settle", "999", "--arrived", code=1)
        assert "belong to --settle" in deliver(office, "--again", code=2)
        sink.reply_to.clear()
        assert "queued once more" in deliver(office, "--settle", number[1], "--again")
        assert deliver(office) == "1 sent\n"
        assert states(office) == {"sent": 3}


def test_an_address_that_is_refused_for_good_is_given_up(office: Office) -> None:
    with mail_server(office, RCPT={"r2@example.cn": "550 5.1.1 no such user"}):
        said = deliver(office)
        assert said.startswith(
            "2 sent, 1 suppressed\n  r2@example.cn gets no more mail: 550 5.1.1 no such user; "
        )
        listed = office.call("parknews", "recipient", "list").stdout
    assert re.search(r"^r2@example\.cn +suppressed \(address_refused\)", listed, re.MULTILINE)


def test_a_broken_server_becomes_an_alert_that_a_later_success_clears(office: Office) -> None:
    with mail_server(office, MAIL={"*": "550 5.7.1 you are blocked"}) as sink:
        assert "stopped: mail server 127.0.0.1" in deliver(office, code=2)
        ((kind, detail),) = alerts(office)
        assert kind == "delivery_stopped"
        assert (
            "refused our sender (MAIL): 550 5.7.1 you are blocked; check sender and user under [mail]"
            in detail
        )
        sink.reply_to.clear()
        assert deliver(office).startswith("2 sent\n")
        assert alerts(office) == []


def test_the_pace_is_no_fault(office: Office) -> None:
    with mail_server(office):
        path = office.folder / "parknews.toml"
        path.write_text(path.read_text().replace("timeout = 3", "timeout = 3\nmax_per_day = 2"))
        said = deliver(office)
        assert said.startswith("2 sent")
        assert re.search(
            r"^  1 wait for their turn, the first until .*; the pace is 60 a minute, 1000 an hour, 2 a day",
            said,
            re.MULTILINE,
        )
        assert alerts(office) == []


def test_who_is_put_off_is_told_until_when_and_why(office: Office) -> None:
    """Also by a run that has nothing to do, so that nobody takes the waiting ones for sent."""
    with mail_server(office, RCPT={"r1@example.cn": "450 4.2.0 greylisted"}):
        first, second = deliver(office), deliver(office)
    left = r"  1 put off, the first until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: 450 4\.2\.0 greylisted\n"
    assert re.fullmatch(rf"2 sent, 1 put off\n{left}", first)
    assert re.fullmatch(rf"nothing was due\n{left}", second)


@pytest.mark.parametrize("content", [None, b"no key\n"])
def test_a_key_that_cannot_be_read_is_one_line_and_sends_nothing(
    office: Office, content: bytes | None
) -> None:
    with mail_server(office) as sink:
        path = office.folder / "parknews.toml"
        path.write_text(path.read_text().replace("timeout = 3", 'timeout = 3\ndkim_key = "dkim.pem"'))
        if content:
            (office.folder / "dkim.pem").write_bytes(content)
        said = deliver(office, code=2)
        assert "[mail] dkim_key" in said
        assert states(office) == {"queued": 3}
        assert sink.messages() == []
        assert [kind for kind, _ in alerts(office)] == ["delivery_stopped"]


def test_bounces_in_the_folder_are_read_and_counted(office: Office) -> None:
    with mail_server(office) as sink:
        deliver(office)
        mail = message_from_bytes(sink.messages()[0].read_bytes(), policy=policy.default)
    folder = office.folder / "var" / "bounces"
    folder.mkdir()
    write_report(folder / "1.eml", mail["To"], mail["Message-ID"])
    (folder / "2.eml").write_bytes(b"Subject: lunch?\r\n\r\nat noon\r\n")
    said = deliver(office, "--bounces")
    assert re.search(r"^2 mails read in .*bounces\n +1 noted on their deliveries\n +1 no reports", said)
    assert deliver(office, "--bounces").startswith("0 mails read")
    assert states(office) == {"sent": 2, "bounced": 1}


def test_a_mailbox_that_cannot_be_read_is_one_line_and_the_folder_is_read_anyway(office: Office) -> None:
    with mail_server(office) as sink:
        port = sink.port
    with (office.folder / "parknews.toml").open("a") as file:
        file.write(f'[bounces]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "pop3"\nuser = "office"\n')
    office.secrets["PARKNEWS_BOUNCES_PASSWORD"] = "geheim"
    folder = office.folder / "var" / "bounces"
    folder.mkdir()
    (folder / "2.eml").write_bytes(b"Subject: lunch?\r\n\r\nat noon\r\n")
    said = deliver(office, "--bounces", code=1)
    assert "1 mails read" in said
    assert f"mailbox 127.0.0.1:{port} cannot be reached" in said
    assert "geheim" not in said
    assert [kind for kind, _ in alerts(office)] == ["bounces_unread"]


def test_the_doctor_says_what_is_wrong_with_key_and_mailbox_and_how_to_go_on(office: Office) -> None:
    with mail_server(office) as sink:
        path = office.folder / "parknews.toml"
        path.write_text(path.read_text().replace("timeout = 3", 'timeout = 3\ndkim_key = "dkim.pem"'))
        with path.open("a") as file:
            file.write(f'[bounces]\nhost = "127.0.0.1"\nport = {sink.port}\nprotocol = "pop3"\n')
        said = office.call("parknews", "doctor").stdout
    assert re.search(r"FAIL dkim: \[mail\] dkim_key: .*dkim\.pem cannot be read", said)
    assert re.search(rf"FAIL bounces: mailbox 127\.0\.0\.1:{sink.port} cannot be reached", said)


def write_report(path: Path, address: str, identity: str) -> None:
    path.write_bytes(
        (
            "From: MAILER-DAEMON@mx.example.cn\r\nTo: office@example.cn\r\nSubject: Undelivered Mail\r\n"
            'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.cn\r\n\r\n"
            f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
            f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {identity}\r\nSubject: x\r\n\r\n--b--\r\n"
        ).encode()
    )


def test_a_port_that_refuses_mail_is_one_line_and_exit_code_2(office: Office) -> None:
    with mail_server(office):
        path = office.folder / "parknews.toml"
        path.write_text(re.sub(r"(?m)^port = \d+", "port = 9", path.read_text()))
        done = office.call("parknews", "deliver")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("parknews: stopped: mail server 127.0.0.1:9 cannot be reached")
    assert done.stderr.count("\n") == 1
    assert states(office) == {"queued": 3}
