"""Fetch what came back from an IMAP mailbox into a folder, for `digest.bounces` to read."""

from __future__ import annotations

import hashlib
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digest.bounces import MAX_OCTETS
from digest.channels.folder import write_file
from store.text import clean_line

#: Mails fetched in one go; the rest comes with the next.
MAX_MAILS = 200
_FOLDER = '"INBOX"'


class MailboxError(Exception):
    """A mailbox that cannot be read now; the message names host and port and never a secret."""


@dataclass(frozen=True)
class Mailbox:
    """Where bounces arrive: IMAP over TLS. 网易's servers let nobody in who does not say who they are, so we do."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 993
    timeout: float = 30.0
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)


def fetch_new(mailbox: Mailbox, folder: Path) -> int:
    """Write every unread mail as a file into `folder`, then mark it read; returns how many. Raises MailboxError, OSError.

    A mail is marked only after it is on the disk, under a name made from its content: a crash in between fetches it twice
    and keeps it once. Longer ones are cut at what the reader looks at. Nothing is deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _logged_in(mailbox) as server:
        if server.select(_FOLDER)[0] != "OK":
            raise MailboxError(f"{mailbox.host}: the inbox cannot be opened")
        found = server.uid("SEARCH", "UNSEEN")[1]
        numbers = (found[0] or b"").split()[:MAX_MAILS] if found else []
        return sum(
            _fetch_one(server, number.decode("ascii"), folder) for number in numbers if number.isdigit()
        )


def _fetch_one(server: imaplib.IMAP4, number: str, folder: Path) -> bool:
    answer: Any = server.uid("FETCH", number, f"(BODY.PEEK[]<0.{MAX_OCTETS}>)")[1]
    octets = next((part[1] for part in answer if isinstance(part, tuple)), None)
    if octets is None:
        return False
    write_file(folder / f"{hashlib.sha256(octets).hexdigest()[:24]}.eml", octets)
    server.uid("STORE", number, "+FLAGS.SILENT", "(\\Seen)")
    return True


@contextmanager
def _logged_in(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    where = f"mailbox {mailbox.host}:{mailbox.port}"
    try:
        context = mailbox.tls_context or ssl.create_default_context()
        server = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=mailbox.timeout)
    except (OSError, imaplib.IMAP4.error) as error:
        why = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__
        raise MailboxError(
            f"{where} cannot be reached ({clean_line(str(why))}); check host, port 993 and TLS"
        ) from None
    try:
        try:
            server.login(mailbox.user, mailbox.password)
        except (OSError, UnicodeError, imaplib.IMAP4.error):
            raise MailboxError(f"{where} refused the login; check user and password (授权码)") from None
        _introduce(server)
        yield server
    except imaplib.IMAP4.error as error:
        raise MailboxError(f"{where}: {clean_line(str(error))[:200]}") from None
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _introduce(server: imaplib.IMAP4) -> None:
    """Say who we are (RFC 2971), where the server knows the command."""
    if "ID" in server.capabilities:
        server.xatom("ID", '("name" "parknews" "version" "1")')
