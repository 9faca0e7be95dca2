from __future__ import annotations

import base64
import time
from datetime import datetime, timedelta
from email.header import Header
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from digest.bounces import MAX_OCTETS, read_bounce, read_folder
from digest.message import message_id
from store import deliveries
from store.bounces import record_bounce
from store.config import RecipientEntry
from store.database import session_scope
from store.models import Delivery, Issue
from store.recipients import add_recipient, get_recipient
from tests.digest.hostile_values import TEXTS

ADDRESS = "zhang@example.cn"
OURS = message_id(47, ADDRESS, "news.example.cn")


def report(status: str, diagnostic: str, action: str = "failed", recipient: str = ADDRESS) -> bytes:
    return f"""\
From: MAILER-DAEMON@mx.example.cn
To: office@news.example.cn
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.cn

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b
Content-Type: text/rfc822-headers

Message-ID: {OURS}
To: {ADDRESS}
--b--
""".encode()


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", "550 5.1.1 no such user", "hard"),
        ("5.0.0", "550 User not found: zhang@example.cn", "hard"),
        ("5.1.2", "Host not found", "hard"),
        ("5.2.2", "552 5.2.2 mailbox full", "soft"),
        ("5.0.0", "550 Mailbox is full", "soft"),
        ("5.7.1", "554 5.7.1 rejected as spam", "soft"),
        ("5.0.0", "550 发信频率过高", "soft"),
        ("4.4.1", "connection timed out", "soft"),
    ],
)
def test_a_status_report_is_read(status: str, diagnostic: str, kind: str) -> None:
    bounce = read_bounce(report(status, diagnostic))
    assert bounce is not None
    assert (bounce.kind, bounce.address, bounce.message_id) == (kind, ADDRESS, OURS)
    assert diagnostic in bounce.detail


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_a_mere_delay_or_receipt_is_no_bounce(action: str) -> None:
    assert read_bounce(report("4.4.1", "later", action)) is None


def prose(sender: str, subject: str, text: str, charset: str = "utf-8", subtype: str = "plain") -> bytes:
    mail = MIMEText(text, subtype, charset)
    mail["From"], mail["To"] = sender, "office@news.example.cn"
    mail["Subject"] = Header(subject, charset).encode()
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        (prose("postmaster@qq.example", "系统退信", f"邮件无法发送到 {ADDRESS}\n退信原因：收件人邮箱不存在。"), "hard"),
        (prose("postmaster@qq.example", "来自系统的退信", f"无法发送到{ADDRESS} 收件人邮箱容量已满，请稍后再试"), "soft"),
        (prose("postmaster@163.example", "系统退信/Systems bounce", f"收件人 {ADDRESS}，550 User not found", "gb18030"), "hard"),
        (prose("a@x.example", "系统退信", f"<p>{ADDRESS}</p><b>550 5.1.1</b> <p>mailbox not found</p>", "gb18030", "html"), "hard"),
        (prose("postmaster@sina.example", "退信通知", f"{ADDRESS} 554 被判为垃圾邮件，拒收"), "soft"),
        (prose("MAILER-DAEMON@x.example", "failure notice", f"<{ADDRESS}>:\nSorry, no mailbox here by that name. (#5.1.1)"), "hard"),
        (prose("MAILER-DAEMON@x.example", "failure notice", f"<{ADDRESS}>: 450 4.2.0 greylisted"), "soft"),
    ],
)  # fmt: skip
def test_what_providers_write_for_people_is_read(mail: bytes, kind: str) -> None:
    bounce = read_bounce(mail)
    assert bounce is not None
    assert (bounce.kind, bounce.address) == (kind, ADDRESS)


def complaint(kind: str = "abuse") -> bytes:
    return f"""\
From: feedback@mx.example.cn
Subject: complaint
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
Version: 1

--b
Content-Type: message/rfc822

From: office@news.example.cn
To: {ADDRESS}
Message-ID: {OURS}

x
--b--
""".encode()


def test_a_complaint_is_read_with_the_address_from_the_mail_it_is_about() -> None:
    bounce = read_bounce(complaint())
    assert bounce is not None
    assert (bounce.kind, bounce.address, bounce.message_id) == ("complaint", ADDRESS, OURS)
    assert read_bounce(complaint("not-spam")) is None


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\xff\xfe\0",
        prose("li@example.cn", "回复：要情", "邮箱不存在的问题已解决"),
        prose("li@example.cn", "自动回复：休假", "我不在办公室 550"),
        b"Auto-Submitted: auto-replied\nFrom: postmaster@x.cn\nSubject: vacation\n\n550 no such user a@b.cn",
        prose("postmaster@example.cn", "通知", "系统将于今晚维护"),
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 3000,
        report("5.1.1", "x").replace(b"rfc822;", b";;;").replace(OURS.encode(), b"").replace(ADDRESS.encode(), b"@@"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_left_alone(mail: bytes) -> None:
    assert read_bounce(mail) is None


@drawn(st.binary(max_size=500), st.integers(0, 900))
@settings(max_examples=200, deadline=None)
def test_no_broken_mail_raises(noise: bytes, place: int) -> None:
    for mail in (report("5.1.1", "550 x"), complaint()):
        read_bounce(mail[:place] + noise + mail[place:])
    read_bounce(noise)


def test_hostile_texts_in_every_field_do_no_harm() -> None:
    for given in TEXTS:
        text = given.encode("utf-8", "replace").decode()[:2000]
        read_bounce(report(text, text, recipient=text))
        bounce = read_bounce(prose("postmaster@x.cn", text, f"550 {text}"))
        assert bounce is None or "\n" not in bounce.detail


@pytest.mark.parametrize(
    "unit", [b"a@", b"550 5.1.1 ", b"<", b"=?utf-8?b?", b"--b\n", b"From: x\n", b"5.1.", b"a.a"]
)
def test_a_huge_mail_takes_no_time(unit: bytes) -> None:
    mail = (
        b"From: postmaster@x.cn\nSubject: bounce " + unit * 300 + b"\n\n" + unit * (MAX_OCTETS // len(unit))
    )
    began = time.monotonic()
    read_bounce(mail)
    assert time.monotonic() - began < 3


def sent_issues(session: Session, now: datetime, count: int) -> None:
    add_recipient(session, RecipientEntry(address=ADDRESS), now, "test")
    for number in range(1, count + 1):
        send_issue(session, now, number)


def send_issue(session: Session, now: datetime, number: int) -> None:
    moment = now + timedelta(days=7 * number)
    moments = dict.fromkeys(("period_start", "period_end", "due_at", "composed_at"), moment)
    session.add(Issue(number=number, year=2026, year_number=number, **moments))
    session.flush()
    deliveries.enqueue(session, number, now)
    (row,) = deliveries.claim(session, "w", now, 1)
    deliveries.mark_at_the_dot(session, row.id, "w", now, message_id(number, ADDRESS, "x.cn"))
    deliveries.mark_sent(session, row.id, "w", now)


@pytest.mark.parametrize(("kind", "needed"), [("hard", 2), ("soft", 4), ("complaint", 1)])
def test_an_address_is_given_up_when_it_keeps_coming_back(
    sqlite_engine: Engine, now: datetime, kind: str, needed: int
) -> None:
    with session_scope(sqlite_engine) as session:
        for number in range(1, needed + 1):
            if number == 1:
                sent_issues(session, now, needed)
            outcome = record_bounce(session, kind, "x", now, message_id=message_id(number, ADDRESS, "x.cn"))  # type: ignore[arg-type]
            session.expire_all()
            later = number == needed
            assert outcome == ("suppressed" if later else "noted")
        person = get_recipient(session, ADDRESS)
        assert person.suppressed_reason == f"bounce_{kind}"


@pytest.mark.parametrize("kind", ["hard", "soft", "complaint"])
def test_a_report_that_names_only_an_address_gives_nobody_up_at_once(
    sqlite_engine: Engine, now: datetime, kind: Any
) -> None:
    """Whoever knows the address can write one; what comes back again and again is believed all the same."""
    with session_scope(sqlite_engine) as session:
        add_recipient(session, RecipientEntry(address=ADDRESS), now, "test")
        for number in range(1, 5):
            send_issue(session, now, number)
            session.expire_all()
            told = [record_bounce(session, kind, "x", now, address=ADDRESS) for _ in range(3)]
            assert told == ["noted" if number < 4 else "suppressed", "known", "known"]
            session.flush()


def test_an_issue_that_arrived_in_between_starts_the_count_anew(sqlite_engine: Engine, now: datetime) -> None:
    with session_scope(sqlite_engine) as session:
        sent_issues(session, now, 3)
        assert record_bounce(session, "hard", "x", now, message_id=message_id(1, ADDRESS, "x.cn")) == "noted"
        assert record_bounce(session, "hard", "x", now, message_id=message_id(3, ADDRESS, "x.cn")) == "noted"


def test_a_bounce_counts_once_and_only_for_mails_that_went(sqlite_engine: Engine, now: datetime) -> None:
    with session_scope(sqlite_engine) as session:
        sent_issues(session, now, 1)
        first = message_id(1, ADDRESS, "x.cn")
        assert record_bounce(session, "hard", "550 no such user", now, message_id=first) == "noted"
        assert record_bounce(session, "hard", "x", now, message_id=first) == "known"
        assert record_bounce(session, "hard", "x", now, message_id="<9.0@x>") == "unknown"
        assert record_bounce(session, "hard", "x", now, address="stranger@example.cn") == "unknown"
        row = session.get_one(Delivery, 1)
        assert (row.state, row.reason, row.reply) == ("bounced", "bounce_hard", "550 no such user")


def test_a_folder_is_read_once_and_sorted(sqlite_engine: Engine, now: datetime, tmp_path: Path) -> None:
    with session_scope(sqlite_engine) as session:
        sent_issues(session, now, 1)
    (tmp_path / "1.eml").write_bytes(report("5.1.1", "550 no").replace(OURS.encode(), b"<x@y>"))
    (tmp_path / "2.eml").write_bytes(
        report("5.1.1", "550 no", recipient="who@example.cn").replace(OURS.encode(), b"<x@y>")
    )
    (tmp_path / "3.eml").write_bytes(b"Subject: hello\n\n" + base64.b64encode(b"x" * 100))
    assert dict(read_folder(sqlite_engine, tmp_path, now)) == {"noted": 1, "unknown": 1, "no_report": 1}
    assert dict(read_folder(sqlite_engine, tmp_path, now)) == {}
    assert sorted(path.name for path in tmp_path.rglob("*.eml")) == ["1.eml", "2.eml", "3.eml"]
    assert (tmp_path / "done" / "1.eml").exists()


def test_a_file_that_cannot_be_opened_stays_and_holds_up_nothing(
    tmp_path: Path, sqlite_engine: Engine, now: datetime
) -> None:
    (tmp_path / "1.eml").mkdir()
    (tmp_path / "2.eml").write_bytes(b"Subject: lunch?\r\n\r\nat noon\r\n")
    assert dict(read_folder(sqlite_engine, tmp_path, now)) == {"unreadable": 1, "no_report": 1}
    assert (tmp_path / "1.eml").exists()
