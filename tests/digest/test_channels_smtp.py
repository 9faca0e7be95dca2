from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.channels.base import DeliveryError, Parcel
from digest.channels.providers import advice_for
from digest.channels.smtp import SmtpChannel
from digest.channels.smtp_connection import stuffed
from store.config import Mail
from tests.digest.smtp_servers import Mailbox, ScriptedServer, free_port, make_certificate, real_server

BODY = b"Subject: x\r\n\r\nhello\r\n"
PASSWORD = "geheim-授权码-42"


def channel(
    port: int, *, password: str = "", tls_context: ssl.SSLContext | None = None, **mail: Any
) -> SmtpChannel:
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "security": "none",
        "sender": "office@example.cn",
        "timeout": 1,
    } | mail
    return SmtpChannel(Mail(port=port, **given), password, tls_context=tls_context, dot_seconds=0.4)


def nothing() -> None:
    pass


def refusal(
    channel: SmtpChannel, parcel: Parcel | None = None, hook: Callable[[], None] = nothing
) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.send(parcel or Parcel("a@example.cn", BODY), hook)
    channel.close()
    return caught.value


def test_messages_go_over_one_kept_connection() -> None:
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        out = channel(port)
        for number in range(5):
            assert out.send(Parcel(f"r{number}@example.cn", BODY), nothing).startswith("250")
        out.close()
    assert [recipients for _, recipients, _ in mailbox.messages] == [[f"r{n}@example.cn"] for n in range(5)]
    assert len(mailbox.peers) == 1


@pytest.mark.parametrize(
    "body",
    [b".", b".\r\n..\r\n.x\r\n", b"a\r\n.\r\nb\r\n", b"a\r\n.", b"\r\n.\r\nMAIL FROM:<x@example.com>\r\n"],
)
def test_no_body_can_end_the_message_early(body: bytes) -> None:
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        out = channel(port)
        out.send(Parcel("a@example.cn", body), nothing)
        out.close()
    assert [content for _, _, content in mailbox.messages] == [
        body if body.endswith(b"\r\n") else body + b"\r\n"
    ]
    assert b"\r\n.\r\n" not in b"\r\n" + stuffed(body)


def test_the_hook_runs_when_all_but_the_dot_is_sent() -> None:
    seen: list[tuple[int, int]] = []
    with ScriptedServer({}) as server:
        out = channel(server.port)

        def hook() -> None:
            time.sleep(0.05)
            seen.append((len(server.bodies), sum("DATA" in line for line in server.heard)))

        out.send(Parcel("a@example.cn", BODY), hook)
        out.close()
        assert seen == [(0, 1)]
        assert server.bodies == [BODY]


def test_a_hook_that_fails_leaves_the_message_undelivered() -> None:
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        out = channel(port)

        def hook() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            out.send(Parcel("a@example.cn", BODY), hook)
        out.send(Parcel("b@example.cn", BODY), nothing)
        out.close()
    assert [recipients for _, recipients, _ in mailbox.messages] == [["b@example.cn"]]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"RCPT": b"550 no such user\r\n"}, (True, "address", False)),
        ({"RCPT": b"553 5.1.1 unknown\r\n"}, (True, "address", False)),
        ({"RCPT": b"450 4.2.0 greylisted\r\n"}, (False, "address", False)),
        ({"RCPT": b"552 5.2.2 mailbox full\r\n"}, (False, "address", False)),
        ({"RCPT": b"554 5.7.1 relay access denied\r\n"}, (True, "channel", False)),
        ({"RCPT": b"530 authentication required\r\n"}, (True, "channel", False)),
        ({"MAIL": b"550 sender refused\r\n"}, (True, "channel", False)),
        ({"MAIL": b"451 slow down\r\n"}, (False, "channel", False)),
        ({"DATA": b"554 spam\r\n"}, (True, "channel", False)),
        ({".": b"554 DT:SPM content refused\r\n"}, (True, "channel", False)),
        ({".": b"550 5.1.1 no such user\r\n"}, (True, "address", False)),
        ({".": b"550 5.1.8 bad sender\r\n"}, (True, "channel", False)),
        ({".": b"451 try again\r\n"}, (False, "message", False)),
        ({".": b"552 too big\r\n"}, (True, "message", False)),
        ({".": b"421 closing\r\n"}, (False, "channel", False)),
        ({".": b"hello?\r\n"}, (False, "channel", True)),
        ({".": b"354 go on\r\n"}, (False, "channel", True)),
        ({".": b"999 what\r\n"}, (False, "channel", True)),
        ({".": None}, (False, "channel", True)),
        ({".": lambda connection: time.sleep(1)}, (False, "channel", True)),
        ({".": b"250-first\r\n451 second\r\n"}, (False, "channel", True)),
        ({"DATA": b"garbage\r\n"}, (False, "channel", False)),
        ({"DATA": b"250 ok\r\n"}, (False, "channel", False)),
        ({"DATA": None}, (False, "channel", False)),
        ({"MAIL": None}, (False, "channel", False)),
        ({"RCPT": b"garbage\r\n"}, (False, "channel", False)),
        ({"greeting": b"554 go away\r\n"}, (True, "channel", False)),
        ({"greeting": b"421 busy\r\n"}, (False, "channel", False)),
        ({"greeting": None}, (False, "channel", False)),
        ({"EHLO": b"502 no\r\n"}, (True, "channel", False)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pipelining", [False, True])
def test_every_reply_has_its_meaning(script: Any, expected: tuple[bool, str, bool], pipelining: bool) -> None:
    if pipelining:
        script = {"EHLO": b"250-x\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n"} | script
    with ScriptedServer(script) as server:
        error = refusal(channel(server.port))
        assert server.bodies in ([], [BODY], [b""])
    assert (error.permanent, error.blame, error.in_doubt) == expected
    assert "\n" not in str(error)


def test_a_drop_in_the_middle_of_the_data_is_no_doubt() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.sendall(b"354 go on\r\n")
        connection.recv(100)
        connection.close()

    with ScriptedServer({"DATA": hang_up}) as server:
        error = refusal(channel(server.port), Parcel("a@example.cn", b"x" * 20_000_000))
    assert not error.in_doubt


def test_an_early_word_of_the_server_is_not_taken_for_its_answer_to_the_dot() -> None:
    marked = []
    with ScriptedServer({"DATA": b"354 go on\r\n250 early\r\n"}) as server:
        out = channel(server.port)
        error = refusal(out, hook=lambda: marked.append(1))
        assert not server.bodies
    assert not error.in_doubt
    assert not marked


def test_a_reply_that_drips_has_to_be_complete_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        for _ in range(50):
            connection.sendall(b"2")
            time.sleep(0.1)

    with ScriptedServer({"MAIL": drip}) as server:
        began = time.monotonic()
        error = refusal(channel(server.port))
    assert error.reason == "timeout"
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("flood", [b"2" * 100_000, b"250-more\r\n" * 1000])
def test_a_reply_without_end_is_cut_off(flood: bytes) -> None:
    with ScriptedServer({"MAIL": flood}) as server:
        assert refusal(channel(server.port)).reason == "garbage"


def test_a_pipelining_server_is_spoken_to_at_once_and_its_refusals_are_told_apart() -> None:
    script: Any = {
        "EHLO": b"250-x\r\n250 PIPELINING\r\n",
        "RCPT": [b"250 ok\r\n", b"550 no such user\r\n", b"250 ok\r\n"],
        ".": [b"250 first\r\n", b"554 no valid recipients\r\n", b"250 third\r\n"],
    }
    marked: list[str] = []
    with ScriptedServer(script) as server:
        out = channel(server.port)
        assert out.send(Parcel("a@example.cn", BODY), lambda: marked.append("a")) == "250 first"
        with pytest.raises(DeliveryError) as caught:
            out.send(Parcel("b@example.cn", BODY), lambda: marked.append("b"))
        assert (caught.value.permanent, caught.value.blame) == (True, "address")
        assert out.send(Parcel("c@example.cn", BODY), lambda: marked.append("c")) == "250 third"
        out.close()
        assert (server.connections, server.bodies, marked) == (1, [BODY, b"", BODY], ["a", "c"])


def test_the_connection_lives_on_after_a_refused_address() -> None:
    with ScriptedServer({"RCPT": [b"550 no\r\n", b"250 ok\r\n"]}) as server:
        out = channel(server.port)
        with pytest.raises(DeliveryError):
            out.send(Parcel("a@example.cn", BODY), nothing)
        out.send(Parcel("b@example.cn", BODY), nothing)
        out.close()
        assert server.connections == 1
        assert "RSET" in server.heard


@pytest.mark.parametrize("answer", [None, b"421 enough for one connection\r\n"])
def test_a_used_connection_that_was_closed_is_opened_again(answer: bytes | None) -> None:
    with ScriptedServer({"MAIL": [b"250 ok\r\n", answer, b"250 ok\r\n"]}) as server:
        out = channel(server.port)
        out.send(Parcel("a@example.cn", BODY), nothing)
        out.send(Parcel("b@example.cn", BODY), nothing)
        out.close()
        assert (server.connections, len(server.bodies)) == (2, 2)


def test_the_announced_size_is_respected_before_anything_is_said() -> None:
    with ScriptedServer({"EHLO": b"250-x\r\n250 SIZE 100\r\n"}) as server:
        out = channel(server.port)
        error = refusal(out, Parcel("a@example.cn", b"x" * 101))
        assert (error.permanent, error.blame, error.reason) == (True, "message", "too_large")
        out.send(Parcel("a@example.cn", b"x" * 100), nothing)
        out.close()
        assert sum(line.startswith("MAIL") for line in server.heard) == 1
        assert "MAIL FROM:<office@example.cn> SIZE=100" in server.heard


def test_a_chinese_mailbox_needs_smtputf8() -> None:
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        out = channel(port)
        out.send(Parcel("张三@例子.中国", BODY), nothing)
        out.close()
    assert mailbox.messages[0][1] == ["张三@xn--fsqu00a.xn--fiqs8s"]
    with ScriptedServer({}) as server:
        error = refusal(channel(server.port), Parcel("张三@例子.中国", BODY))
    assert (error.permanent, error.blame, error.reason) == (True, "message", "no_smtputf8")


@pytest.mark.parametrize(
    "address", ["a@b.cn>\r\nRCPT TO:<x@example.com", "a@b.cn\r\n", "a b@c.cn", "", "a@b.cn> SIZE=1"]
)
def test_an_address_cannot_speak_smtp(address: str) -> None:
    with ScriptedServer({}) as server:
        error = refusal(channel(server.port), Parcel(address, BODY))
        assert error.blame == "address"
        assert not any("x@example.com" in line or line.startswith("RCPT") for line in server.heard)


@pytest.mark.parametrize("implicit", [True, False])
def test_tls_of_both_kinds_with_login(tmp_path: Path, implicit: bool) -> None:
    mailbox = Mailbox()
    server, client = make_certificate(tmp_path, "127.0.0.1")
    with real_server(mailbox, tls=server, implicit=implicit, login=("office", PASSWORD)) as port:
        security = "tls" if implicit else "starttls"
        out = channel(port, security=security, user="office", password=PASSWORD, tls_context=client)
        out.check()
        out.send(Parcel("a@example.cn", BODY), nothing)
        out.close()
        wrong = channel(port, security=security, user="office", password="wrong", tls_context=client)
        assert refusal(wrong).reason == "login_refused"
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("names", [("127.0.0.1",), ("other.example.cn",)])
def test_a_certificate_that_proves_nothing_is_refused(
    tmp_path: Path, names: tuple[str], implicit: bool
) -> None:
    """Self-signed (the default context) and for another host (a trusting one)."""
    mailbox = Mailbox()
    server, trusting = make_certificate(tmp_path, *names)
    with real_server(mailbox, tls=server, implicit=implicit) as port:
        context = trusting if names != ("127.0.0.1",) else None
        error = refusal(channel(port, security="tls" if implicit else "starttls", tls_context=context))
    assert (error.permanent, error.reason) == (True, "bad_tls")
    assert not mailbox.messages


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    server, client = make_certificate(tmp_path, "127.0.0.1", days=-1)
    with real_server(Mailbox(), tls=server, implicit=True) as port:
        error = refusal(channel(port, security="tls", tls_context=client))
    assert "expired" in str(error)


def test_stripped_starttls_is_refused_and_nothing_is_said_in_the_clear() -> None:
    with ScriptedServer({"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n"}) as server:
        error = refusal(channel(server.port, security="starttls", user="office", password=PASSWORD))
        assert (error.permanent, error.reason) == (True, "no_tls")
        assert [line.split()[0] for line in server.heard] == ["EHLO"]


def test_words_slipped_in_before_tls_are_refused() -> None:
    script: Any = {"EHLO": b"250-x\r\n250 STARTTLS\r\n", "STARTTLS": b"220 go\r\n250 slipped in\r\n"}
    with ScriptedServer(script) as server:
        assert refusal(channel(server.port, security="starttls")).reason == "garbage"


def test_a_context_that_verifies_nothing_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="verifies nothing"):
        channel(25, tls_context=context)


@pytest.mark.parametrize(
    "host", ["mail.example.cn", "192.0.2.1", "10.0.0.1", "[2001:db8::1]", "127.0.0.1.example.cn"]
)
def test_no_tls_is_only_for_this_machine(host: str) -> None:
    error = refusal(channel(25, host=host))
    assert (error.permanent, error.reason) == (True, "insecure")
    assert "starttls" in str(error)


def test_check_names_host_port_and_the_way_out() -> None:
    port = free_port()
    with pytest.raises(DeliveryError, match=f"127.0.0.1:{port} cannot be reached.*firewall") as caught:
        channel(port).check()
    assert not caught.value.permanent
    with pytest.raises(DeliveryError, match="host and sender"):
        SmtpChannel(Mail(), "").check()


@pytest.mark.parametrize("mechanisms", [b"PLAIN LOGIN", b"LOGIN"])
def test_no_secret_shows_anywhere(mechanisms: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The server even repeats what it was told."""
    heard: list[bytes] = []

    def parrot(connection: socket.socket) -> None:
        connection.sendall(b"334 \r\n")
        for _ in range(2):
            heard.append(connection.recv(500))
            if mechanisms != b"LOGIN" or len(heard) == 2:
                connection.sendall(b"535 wrong: " + heard[-1].strip() + b" " + PASSWORD.encode() + b"\r\n")
                return
            connection.sendall(b"334 UGFzc3dvcmQ6\r\n")

    script: Any = {"EHLO": b"250-x\r\n250 AUTH " + mechanisms + b"\r\n", "AUTH": parrot}
    with caplog.at_level(logging.DEBUG), ScriptedServer(script) as server:
        out = channel(server.port, user="office", password=PASSWORD)
        error = refusal(out)
    assert (error.permanent, error.reason) == (True, "login_refused")
    assert "PARKNEWS_MAIL_PASSWORD" in str(error)
    for text in (str(error), repr(error), error.reply, repr(out), caplog.text):
        assert PASSWORD not in text
        for octets in heard:
            assert octets.strip().decode() not in text or octets.strip() == b"b2ZmaWNl"


def test_a_server_without_a_login_we_know_is_named() -> None:
    with ScriptedServer({"EHLO": b"250-x\r\n250 AUTH NTLM\r\n"}) as server:
        assert refusal(channel(server.port, user="office", password="x")).reason == "no_auth"


def test_a_chinese_provider_gets_its_advice() -> None:
    assert "授权码" in advice_for("smtp.qq.com")
    assert not advice_for("mail.example.cn")
