"""Fetch what came back from a mailbox (IMAP or POP3, TLS only) into a folder, for `digest.bounces` to read."""

from __future__ import annotations

import hashlib
import imaplib
import poplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from digest.bounces import MAX_OCTETS
from digest.channels.folder import write_file
from store.text import clean_line

#: Mails fetched in one go; the rest comes with the next.
MAX_MAILS = 200
#: Seconds after which no further mail is begun.
MAX_SECONDS = 120
_FOLDER = '"INBOX"'
#: Where the names of the mails in a POP3 mailbox that were fetched before are kept: POP3 knows no "read".
_FETCHED = ".fetched"
#: Names looked at; a mailbox that is never emptied grows for years.
_MAX_NAMES = 50_000
#: Lines asked for of a POP3 mail too large to be a report.
_TOP_LINES = 2000
_PORTS = {"imap": 993, "pop3": 995}


class MailboxError(Exception):
    """A mailbox that cannot be read now; the message names host and port and never a secret."""


@dataclass(frozen=True)
class Mailbox:
    """Where bounces arrive, over TLS. 网易's IMAP servers let nobody in who does not say who they are, so we do.

    `port` 0 is the protocol's own.
    """

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 0
    timeout: float = 30.0
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)
    protocol: Literal["imap", "pop3"] = "imap"

    @property
    def where(self) -> str:
        """Host and port, for messages."""
        return f"mailbox {self.host}:{self.port or _PORTS[self.protocol]}"

    def address(self) -> tuple[str, int]:
        """Return host and port."""
        return self.host, self.port or _PORTS[self.protocol]


def fetch_new(mailbox: Mailbox, folder: Path) -> int:
    """Write every mail not fetched before as a file into `folder`; returns how many. Raises MailboxError, OSError.

    A mail counts as fetched only after it is on the disk, under a name made from its content: a crash in between fetches it
    twice and keeps it once. Longer ones are cut at what the reader looks at. Nothing is deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _fetch_pop3(mailbox, folder) if mailbox.protocol == "pop3" else _fetch_imap(mailbox, folder)


def check_mailbox(mailbox: Mailbox) -> None:
    """Log in and out again. Raises MailboxError with the way out."""
    with _pop3(mailbox) if mailbox.protocol == "pop3" else _imap(mailbox):
        pass


def _keep(folder: Path, octets: bytes) -> None:
    write_file(folder / f"{hashlib.sha256(octets).hexdigest()[:24]}.eml", octets)


@contextmanager
def _told(mailbox: Mailbox) -> Iterator[None]:
    """Turn what goes wrong in the middle of a conversation into a MailboxError."""
    try:
        yield
    except (imaplib.IMAP4.error, poplib.error_proto, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # the folder's fault, not the mailbox's
        raise MailboxError(f"{mailbox.where}: {clean_line(str(error))[:200]}") from None


def _unreachable(mailbox: Mailbox, error: Exception) -> MailboxError:
    why = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__
    return MailboxError(
        f"{mailbox.where} cannot be reached ({clean_line(str(why))}); check host, protocol, port and TLS"
    )


def _refused(mailbox: Mailbox) -> MailboxError:
    return MailboxError(f"{mailbox.where} refused the login; check user and password (授权码)")


def _fetch_imap(mailbox: Mailbox, folder: Path) -> int:
    with _imap(mailbox) as server:
        if server.select(_FOLDER)[0] != "OK":
            raise MailboxError(f"{mailbox.where}: the inbox cannot be opened")
        found = server.uid("SEARCH", "UNSEEN")[1]
        numbers = (found[0] or b"").split()[:MAX_MAILS] if found else []
        in_time = _time_left()
        return sum(
            _fetch_one(server, number.decode("ascii"), folder)
            for number in numbers
            if number.isdigit() and in_time()
        )


def _time_left() -> Callable[[], bool]:
    """Return whether a further mail may be begun; what is left comes with the next visit."""
    until = time.monotonic() + MAX_SECONDS
    return lambda: time.monotonic() < until


def _fetch_one(server: imaplib.IMAP4, number: str, folder: Path) -> bool:
    answer: Any = server.uid("FETCH", number, f"(BODY.PEEK[]<0.{MAX_OCTETS}>)")[1]
    octets = next((part[1] for part in answer if isinstance(part, tuple)), None)
    if octets is None:
        return False
    _keep(folder, octets)
    server.uid("STORE", number, "+FLAGS.SILENT", "(\\Seen)")
    return True


@contextmanager
def _imap(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    context = mailbox.tls_context or ssl.create_default_context()
    try:
        server = imaplib.IMAP4_SSL(*mailbox.address(), ssl_context=context, timeout=mailbox.timeout)
    except (OSError, UnicodeError, imaplib.IMAP4.error) as error:
        raise _unreachable(mailbox, error) from None
    try:
        try:
            server.login(mailbox.user, mailbox.password)
        except (OSError, UnicodeError, imaplib.IMAP4.error):
            raise _refused(mailbox) from None
        with _told(mailbox):
            _introduce(server)
            yield server
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _introduce(server: imaplib.IMAP4) -> None:
    """Say who we are (RFC 2971), where the server knows the command."""
    if "ID" in server.capabilities:
        server.xatom("ID", '("name" "parknews" "version" "1")')


def _fetch_pop3(mailbox: Mailbox, folder: Path) -> int:
    """Names of fetched mails are kept as long as the mailbox still has them."""
    listed = folder / _FETCHED
    before = set(listed.read_text(encoding="ascii", errors="replace").split()) if listed.exists() else set()
    with _pop3(mailbox) as server:
        names = _names(server)
        new = [(number, name) for number, name in names if name not in before][:MAX_MAILS]
        done: list[str] = []
        in_time = _time_left()
        try:
            for number, name in new:
                if not in_time():
                    break
                _keep(folder, _retrieved(server, number))
                done.append(name)
        finally:
            kept = (before & {name for _, name in names}) | set(done)
            write_file(listed, "\n".join(sorted(kept)).encode("ascii"))
    return len(done)


def _names(server: poplib.POP3) -> list[tuple[int, str]]:
    """Return number and lasting name (RFC 1939, UIDL) of every mail."""
    found: list[tuple[int, str]] = []
    for line in server.uidl()[1][:_MAX_NAMES]:
        number, _, name = line.decode("ascii", "replace").partition(" ")
        if number.isdecimal() and name.isascii() and name:
            found.append((int(number[:9]), name.strip()[:70]))
    return found


def _retrieved(server: poplib.POP3, number: int) -> bytes:
    answer: Any = server.list(number)  # octets, whatever the stubs say: one line was asked for
    size = answer.split()[2:3]
    small = bool(size) and size[0].isdigit() and int(size[0]) <= MAX_OCTETS
    lines = server.retr(number)[1] if small else server.top(number, _TOP_LINES)[1]
    return (b"\r\n".join(lines) + b"\r\n")[:MAX_OCTETS]


@contextmanager
def _pop3(mailbox: Mailbox) -> Iterator[poplib.POP3]:
    context = mailbox.tls_context or ssl.create_default_context()
    try:
        server = poplib.POP3_SSL(*mailbox.address(), timeout=mailbox.timeout, context=context)
    except (OSError, UnicodeError, poplib.error_proto) as error:
        raise _unreachable(mailbox, error) from None
    try:
        try:
            server.user(mailbox.user)
            server.pass_(mailbox.password)
        except (OSError, UnicodeError, poplib.error_proto):
            raise _refused(mailbox) from None
        with _told(mailbox):
            yield server
    finally:
        with suppress(OSError, poplib.error_proto):
            server.quit()
