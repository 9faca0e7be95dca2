from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest

from digest.bounces import MAX_OCTETS
from digest.mailbox import Mailbox, MailboxError, check_mailbox, fetch_new
from tests.digest.smtp_servers import free_port, make_certificate

PASSWORD = "geheim-授权码".encode().hex()


def serve(handler: type[StreamRequestHandler], context: ssl.SSLContext) -> int:
    """Serve on loopback over TLS for as long as the tests run; return the port."""

    class Server(ThreadingTCPServer):
        daemon_threads = allow_reuse_address = True

        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            connection, peer = super().get_request()
            return context.wrap_socket(connection, server_side=True), peer

    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    port: int = server.server_address[1]
    return port


class ImapServer:
    """As much of an IMAP server as the mailbox needs; it lets in only who says who they are, as 网易's do."""

    def __init__(self, context: ssl.SSLContext, mails: list[bytes]) -> None:
        self.mails, self.seen, self.commands = mails, set[int](), list[str]()
        self.hang_up_at = ""
        server = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    self.wfile.write(b"* OK ready\r\n")
                    while line := self.rfile.readline():
                        if not server.answer(line.decode().strip(), self.wfile.write):
                            return

        self.port = serve(Handler, context)

    def answer(self, line: str, write: Callable[[bytes], int]) -> bool:
        tag, _, command = line.partition(" ")
        self.commands.append(command)
        if self.hang_up_at and self.hang_up_at in command:
            return False
        done = "OK done"
        if command == "CAPABILITY":
            write(b"* CAPABILITY IMAP4rev1 ID\r\n")
        elif command.startswith("LOGIN"):
            done = "OK in" if PASSWORD in command else f"NO wrong password {PASSWORD}"
        elif command.startswith("SELECT"):
            introduced = any(each.startswith("ID ") for each in self.commands)
            done = "OK [READ-WRITE] selected" if introduced else "NO Unsafe Login"
        elif command.startswith("UID SEARCH"):
            unread = [str(n) for n in range(1, len(self.mails) + 1) if n not in self.seen]
            write(f"* SEARCH {' '.join(unread)}\r\n".encode())
        elif found := re.match(r"UID FETCH (\d+) \(BODY.PEEK\[\]<0\.(\d+)>\)", command):
            octets = self.mails[int(found[1]) - 1][: int(found[2])]
            write(f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(octets)}}}\r\n".encode() + octets + b")\r\n")
        elif found := re.match(r"UID STORE (\d+)", command):
            self.seen.add(int(found[1]))
        write(f"{tag} {done}\r\n".encode())
        return command != "LOGOUT"


class Pop3Server:
    """As much of a POP3 server as the mailbox needs. Mails are numbered anew in every session, their names stay."""

    def __init__(self, context: ssl.SSLContext, mails: dict[str, bytes]) -> None:
        self.mails, self.commands, self.hang_up_at = mails, list[str](), ""
        server = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    self.wfile.write(b"+OK ready\r\n")
                    while line := self.rfile.readline():
                        reply = server.answer(line.decode().strip())
                        if not reply:
                            return
                        self.wfile.write(reply)

        self.port = serve(Handler, context)

    def answer(self, line: str) -> bytes:
        self.commands.append(line)
        word, _, rest = line.partition(" ")
        if self.hang_up_at and line.startswith(self.hang_up_at):
            return b""
        if word == "PASS":
            return b"+OK in\r\n" if rest == PASSWORD else f"-ERR wrong {rest}\r\n".encode()
        if word == "UIDL":
            lines = [f"{n} {name}\r\n" for n, name in enumerate(self.mails, 1)]
            return ("+OK\r\n" + "".join(lines) + ".\r\n").encode()
        if word not in {"LIST", "RETR", "TOP"}:
            return b"+OK\r\n"
        octets = list(self.mails.values())[int(rest.split()[0]) - 1]
        if word == "LIST":
            return f"+OK {rest} {len(octets)}\r\n".encode()
        if word == "TOP":
            octets = octets[:5000]
        return b"+OK\r\n" + octets.removesuffix(b"\r\n") + b"\r\n.\r\n"


@pytest.fixture
def trusted(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return make_certificate(tmp_path, "127.0.0.1")


def test_unread_mails_are_fetched_once_and_stay_in_the_mailbox(
    tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = ImapServer(trusted[0], [b"Subject: 1\r\n\r\n", b"Subject: 2\r\n\r\nx" + b"y" * 2 * MAX_OCTETS])
    mailbox = Mailbox("127.0.0.1", "office", PASSWORD, server.port, 2, trusted[1])
    out = tmp_path / "bounces"
    assert fetch_new(mailbox, out) == 2
    assert fetch_new(mailbox, out) == 0
    assert sorted(path.stat().st_size for path in out.glob("*.eml")) == [14, MAX_OCTETS]
    assert not any("DELETE" in command.upper() or "EXPUNGE" in command for command in server.commands)


def test_a_drop_before_the_mark_fetches_again_and_keeps_one(
    tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = ImapServer(trusted[0], [b"Subject: 1\r\n\r\n"])
    mailbox = Mailbox("127.0.0.1", "office", PASSWORD, server.port, 2, trusted[1])
    server.hang_up_at = "STORE"
    with pytest.raises(MailboxError):
        fetch_new(mailbox, tmp_path / "b")
    server.hang_up_at = ""
    assert fetch_new(mailbox, tmp_path / "b") == 1
    assert len(list((tmp_path / "b").glob("*.eml"))) == 1


def test_every_refusal_names_the_mailbox_and_no_secret(
    tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = ImapServer(trusted[0], [])
    wrong = Mailbox("127.0.0.1", "office", "falsch", server.port, 2, trusted[1])
    unreachable = Mailbox("127.0.0.1", "office", PASSWORD, free_port(), 2, trusted[1])
    untrusted = Mailbox("127.0.0.1", "office", PASSWORD, server.port, 2)
    for mailbox, words in ((wrong, "授权码"), (unreachable, "cannot be reached"), (untrusted, "self-signed")):
        with pytest.raises(MailboxError, match=words) as caught:
            fetch_new(mailbox, tmp_path)
        assert "127.0.0.1" in str(caught.value)
        for secret in (PASSWORD, "falsch"):
            assert secret not in str(caught.value)
            assert secret not in repr(mailbox)


def test_mails_of_a_pop3_mailbox_are_fetched_once_though_it_knows_no_mark(
    tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = Pop3Server(trusted[0], {"aa": b"Subject: 1\r\n\r\n", "bb": b"Subject: 2\r\n\r\nx\r\n" * 200_000})
    mailbox = Mailbox("127.0.0.1", "office", PASSWORD, server.port, 2, trusted[1], "pop3")
    out = tmp_path / "bounces"
    assert fetch_new(mailbox, out) == 2
    assert fetch_new(mailbox, out) == 0
    assert all(path.stat().st_size <= MAX_OCTETS for path in out.glob("*.eml"))
    del server.mails["aa"]
    server.mails["cc"] = b"Subject: 3\r\n\r\n"
    assert fetch_new(mailbox, out) == 1
    assert len(list(out.glob("*.eml"))) == 3
    assert out.joinpath(".fetched").read_text().split() == ["bb", "cc"]
    assert not any(command.startswith("DELE") for command in server.commands)


def test_a_pop3_mailbox_that_hangs_up_keeps_what_was_fetched(
    tmp_path: Path, trusted: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = Pop3Server(trusted[0], {"aa": b"Subject: 1\r\n\r\n", "bb": b"Subject: 2\r\n\r\n"})
    mailbox = Mailbox("127.0.0.1", "office", PASSWORD, server.port, 2, trusted[1], "pop3")
    server.hang_up_at = "RETR 2"
    with pytest.raises(MailboxError, match=r"127\.0\.0\.1"):
        fetch_new(mailbox, tmp_path)
    server.hang_up_at = ""
    assert fetch_new(mailbox, tmp_path) == 1
    check_mailbox(mailbox)
    wrong = Mailbox("127.0.0.1", "office", "falsch", server.port, 2, trusted[1], "pop3")
    with pytest.raises(MailboxError, match="授权码") as caught:
        check_mailbox(wrong)
    assert "falsch" not in str(caught.value)
