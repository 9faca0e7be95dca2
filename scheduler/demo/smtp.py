"""A real SMTP server on loopback that keeps every accepted message as a file, with scripted refusals for tests."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

#: RFC 5321 allows 512 octets for a command line and 1,000 for a text line; we are as lenient as real servers.
_MAX_LINE = 8192
#: Announced by SIZE; longer messages are refused with 552.
MAX_MESSAGE = 26_214_400
_PATH = re.compile(rb"<([^<>]*)>(.*)", re.DOTALL)
#: A scripted reply that closes the connection without an answer.
HANG_UP = "hang up"


class SmtpSink:
    """A context manager: an ESMTP server that writes `0001.eml`, `0002.eml` … and `envelopes.jsonl` into `directory`.

    A message is answered with 250 only after both are written. `reply_to` scripts refusals: command (`EHLO`, `MAIL`,
    `RCPT`, `DATA`, or `END` for the final dot) -> address, or `*` for all -> reply line ("550 5.1.1 no such user") or
    `HANG_UP`. For DATA and END the address is any accepted recipient. It may be changed while running.
    """

    def __init__(
        self, directory: Path, *, port: int = 0, reply_to: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.directory = directory
        self.reply_to: dict[str, dict[str, str]] = {
            command: dict(replies) for command, replies in (reply_to or {}).items()
        }
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._last = max((int(path.stem) for path in self.messages()), default=0)
        self._server = _Server(("127.0.0.1", port), _Session)
        self._server.sink = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on (127.0.0.1)."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def messages(self) -> list[Path]:
        """The accepted messages in the order of acceptance."""
        return sorted(self.directory.glob("[0-9]*.eml"))

    def envelopes(self) -> list[dict[str, object]]:
        """`{"file", "helo", "mail_from", "rcpt_to", "size"}` of each accepted message, in order."""
        log = self.directory / "envelopes.jsonl"
        if not log.exists():
            return []
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]

    def scripted(self, command: str, addresses: list[str]) -> str | None:
        """The scripted reply of a command for one of the addresses, None when it goes its normal way."""
        replies = self.reply_to.get(command, {})
        return next((replies[key] for key in (*addresses, "*") if key in replies), None)

    def keep(self, helo: str, mail_from: str, rcpt_to: list[str], body: bytes) -> str:
        """Write a message and its envelope; returns the name of the file."""
        with self._lock:
            self._last += 1
            name = f"{self._last:04d}.eml"
            partial = self.directory / f"{name}.part"
            partial.write_bytes(body)
            envelope = {
                "file": name,
                "helo": helo,
                "mail_from": mail_from,
                "rcpt_to": rcpt_to,
                "size": len(body),
            }
            with (self.directory / "envelopes.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(envelope, ensure_ascii=False) + "\n")
            partial.rename(self.directory / name)
        return name


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    sink: SmtpSink

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is none of our business."""


class _HungUp(Exception):
    """The script or the client ended the session."""


class _Session(socketserver.StreamRequestHandler):
    timeout = 60
    server: _Server

    def handle(self) -> None:
        self.helo = ""
        self._reset()
        try:
            self._say("220 sample ESMTP")
            while self._command(self._line()):
                pass
        except (_HungUp, OSError):
            return

    def _reset(self) -> None:
        self.mail_from: str | None = None
        self.rcpt_to: list[str] = []

    def _say(self, *lines: str) -> None:
        text = "".join(f"{line}\r\n" for line in lines)
        self.wfile.write(text.encode("utf-8", "replace"))

    def _line(self) -> bytes:
        line = self.rfile.readline(_MAX_LINE + 1)
        if not line.endswith(b"\n"):
            raise _HungUp
        return line.rstrip(b"\r\n")

    def _command(self, line: bytes) -> bool:
        """Answer one command; False ends the session."""
        verb, _, rest = line.partition(b" ")
        match verb.upper():
            case b"EHLO" | b"HELO":
                self._greet(verb.upper() == b"EHLO", rest)
            case b"MAIL":
                self._mail(rest)
            case b"RCPT":
                self._rcpt(rest)
            case b"DATA":
                self._data()
            case b"RSET":
                self._reset()
                self._say("250 2.0.0 reset")
            case b"NOOP" | b"VRFY":
                self._say("252 2.5.0 ask by RCPT" if verb.upper() == b"VRFY" else "250 2.0.0 ok")
            case b"QUIT":
                self._say("221 2.0.0 bye")
                return False
            case _:
                self._say("500 5.5.2 unknown command")
        return True

    def _follows_script(self, command: str, addresses: list[str]) -> bool:
        reply = self.server.sink.scripted(command, addresses)
        if reply is None:
            return False
        if reply == HANG_UP:
            raise _HungUp
        self._say(reply)
        return True

    def _greet(self, extended: bool, name: bytes) -> None:
        if self._follows_script("EHLO", []):
            return
        self.helo = name.decode("utf-8", "replace").strip()
        self._reset()
        if not extended:
            self._say("250 sample")
            return
        self._say(
            "250-sample", f"250-SIZE {MAX_MESSAGE}", "250-8BITMIME", "250-ENHANCEDSTATUSCODES", "250 SMTPUTF8"
        )

    def _mail(self, rest: bytes) -> None:
        parsed = _path(rest, b"FROM:")
        if parsed is None:
            self._say("501 5.5.4 syntax: MAIL FROM:<address>")
            return
        if not self.helo or self.mail_from is not None:
            self._say("503 5.5.1 EHLO first, one MAIL at a time")
            return
        address, options = parsed
        size = re.search(rb"SIZE=(\d{1,12})", options.upper())
        if size and int(size[1]) > MAX_MESSAGE:
            self._say("552 5.3.4 message too big")
        elif not self._follows_script("MAIL", [address]):
            self.mail_from = address
            self._say("250 2.1.0 ok")

    def _rcpt(self, rest: bytes) -> None:
        parsed = _path(rest, b"TO:")
        if parsed is None or not parsed[0]:
            self._say("501 5.5.4 syntax: RCPT TO:<address>")
        elif self.mail_from is None:
            self._say("503 5.5.1 MAIL first")
        elif not self._follows_script("RCPT", [parsed[0]]):
            self.rcpt_to.append(parsed[0])
            self._say("250 2.1.5 ok")

    def _data(self) -> None:
        if self.mail_from is None or not self.rcpt_to:
            self._say("503 5.5.1 RCPT first")
            return
        if self._follows_script("DATA", self.rcpt_to):
            return
        self._say("354 end with <CRLF>.<CRLF>")
        body = self._body()
        if body is None:
            self._say("552 5.3.4 message too big")
        elif not self._follows_script("END", self.rcpt_to):
            name = self.server.sink.keep(self.helo, self.mail_from, self.rcpt_to, body)
            self._say(f"250 2.0.0 kept as {name}")
        self._reset()

    def _body(self) -> bytes | None:
        """The message with dots unstuffed; None when it is longer than MAX_MESSAGE."""
        kept: list[bytes] = []
        size = 0
        while True:
            line = self.rfile.readline(MAX_MESSAGE)
            if not line.endswith(b"\n"):
                raise _HungUp
            if line.rstrip(b"\r\n") == b".":
                return b"".join(kept) if size <= MAX_MESSAGE else None
            size += len(line)
            if size <= MAX_MESSAGE:
                kept.append(line.removeprefix(b".") if line.startswith(b".") else line)


def _path(rest: bytes, keyword: bytes) -> tuple[str, bytes] | None:
    """Address and options of `FROM:<a@b> SIZE=1`; None when it is no such path."""
    if rest[: len(keyword)].upper() != keyword:
        return None
    match = _PATH.match(rest[len(keyword) :].strip())
    return None if match is None else (match[1].decode("utf-8", "replace"), match[2])
