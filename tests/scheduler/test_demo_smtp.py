from __future__ import annotations

import contextlib
import smtplib
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

import pytest

from scheduler.demo.smtp import HANG_UP, MAX_MESSAGE, SmtpSink

if TYPE_CHECKING:
    from pathlib import Path


def issue(to: str = "desk@example.org", text: str = "一周党建\n.以点开头的一行\n") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "desk@example.org"
    message["To"] = to
    message["Subject"] = "高新区党建周报 第一期"
    message.set_content(text, cte="8bit")
    return message


def client(sink: SmtpSink) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", sink.port, timeout=10)


def test_accepted_message_is_kept_byte_for_byte_with_its_envelope(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, client(sink) as smtp:
        smtp.send_message(
            issue(), from_addr="bounce@example.org", to_addrs=["a@example.org", "b@example.org"]
        )
        (kept,) = sink.messages()
        assert kept.name == "0001.eml"
        assert kept.read_bytes() == issue().as_bytes(policy=SMTP)
        (envelope,) = sink.envelopes()
    assert envelope["mail_from"] == "bounce@example.org"
    assert envelope["rcpt_to"] == ["a@example.org", "b@example.org"]
    assert envelope["size"] == len(kept.read_bytes())


def test_leading_dots_are_unstuffed(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, client(sink) as smtp:
        smtp.send_message(issue(text=".\n..两点\n...三点\n"))
        text = message_from_bytes(sink.messages()[0].read_bytes(), policy=SMTP).get_content()
    assert text.splitlines() == [".", "..两点", "...三点"]


def test_announces_size_8bit_and_smtputf8(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, client(sink) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(MAX_MESSAGE)
        assert smtp.has_extn("8bitmime")
        assert smtp.has_extn("smtputf8")


def test_international_address_is_kept(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, client(sink) as smtp:
        smtp.send_message(issue(), to_addrs=["编辑@example.org"], mail_options=["SMTPUTF8"])
        assert sink.envelopes()[0]["rcpt_to"] == ["编辑@example.org"]


def test_several_messages_on_one_connection_and_on_several(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink:
        for _ in range(2):
            with client(sink) as smtp:
                smtp.send_message(issue())
                smtp.rset()
                smtp.noop()
                smtp.send_message(issue())
        assert [path.name for path in sink.messages()] == ["0001.eml", "0002.eml", "0003.eml", "0004.eml"]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        with SmtpSink(tmp_path) as sink, client(sink) as smtp:
            smtp.send_message(issue())
            assert len(sink.messages()) == expected


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "END"])
def test_scripted_refusals_reach_the_client_and_keep_nothing(tmp_path: Path, command: str) -> None:
    replies = {command: {"*": "451 4.7.1 try again later"}}
    with SmtpSink(tmp_path, reply_to=replies) as sink, client(sink) as smtp:
        with pytest.raises(smtplib.SMTPException):
            smtp.send_message(issue())
        assert sink.messages() == []


def test_one_address_is_refused_and_the_other_served(tmp_path: Path) -> None:
    replies = {"RCPT": {"gone@example.org": "550 5.1.1 no such user"}}
    with SmtpSink(tmp_path, reply_to=replies) as sink, client(sink) as smtp:
        refused = smtp.send_message(issue(), to_addrs=["gone@example.org", "here@example.org"])
        assert refused == {"gone@example.org": (550, b"5.1.1 no such user")}
        assert sink.envelopes()[0]["rcpt_to"] == ["here@example.org"]


@pytest.mark.parametrize("command", ["DATA", "END"])
def test_hang_up_closes_the_connection_without_an_answer(tmp_path: Path, command: str) -> None:
    with SmtpSink(tmp_path, reply_to={command: {"*": HANG_UP}}) as sink:
        smtp = client(sink)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.send_message(issue())
        sink.reply_to.clear()
        with client(sink) as again:
            again.send_message(issue())
        assert len(sink.messages()) == 1


def test_wrong_order_and_unknown_commands_are_refused(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, client(sink) as smtp:
        assert smtp.docmd("MAIL", "FROM:<a@example.org>")[0] == 503
        smtp.ehlo()
        assert smtp.docmd("RCPT", "TO:<a@example.org>")[0] == 503
        assert smtp.docmd("DATA")[0] == 503
        assert smtp.docmd("TURN")[0] == 500
        assert smtp.docmd("MAIL", "a@example.org")[0] == 501
        assert smtp.docmd("MAIL", f"FROM:<a@example.org> SIZE={MAX_MESSAGE + 1}")[0] == 552


def test_endless_line_ends_the_session(tmp_path: Path) -> None:
    with SmtpSink(tmp_path) as sink, socket.create_connection(("127.0.0.1", sink.port), timeout=10) as raw:
        raw.recv(100)
        raw.sendall(b"x" * 20_000)
        with contextlib.suppress(ConnectionResetError):
            assert raw.recv(100) == b""
