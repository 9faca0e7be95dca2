"""One recipient's mail as bytes: the same input gives the same bytes, so that a repeated message is known as the same one.

Written without `email`: building and flattening took 14 ms a message there, most of it folding; here the parts that
recipients share are encoded once and everything else is base64.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from digest.addresses import WireAddress, ascii_domain, wire_address
from digest.headers import literal_field, mailbox_field, phrase, text_field
from store.text import clean_line

if TYPE_CHECKING:
    from digest.dkim import DkimKey

_LINE = 76
#: Octets that make one line of base64.
LINE_OCTETS = 57
_TOKEN = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", re.ASCII)
#: Percent-encoded at three bytes to one, with the field around it, this stays below the 998 octets of a line.
_FILENAME_OCTETS = 255


class MessageError(ValueError):
    """A message that cannot be built from what was given."""


class RenderedText(Protocol):
    """What the rendering hands over: three texts without any markup of mail."""

    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...


@dataclass(frozen=True)
class Attachment:
    """A file beside the message, e.g. the Word briefing."""

    filename: str
    content_type: str
    content: bytes


def message_id(issue_id: int, key: str, domain: str) -> str:
    """Return the one Message-ID of an issue for a recipient's `key`, which cannot be read from it.

    The key is random, for whoever could work the Message-ID out could forge a complaint; an address will do where that
    matters to nobody.
    """
    seed = hashlib.sha256(f"{issue_id}\0{key.lower()}\0{domain}".encode("utf-8", "replace"))
    return f"<{issue_id}.{seed.hexdigest()[:32]}@{ascii_domain(domain)}>"


def build_message(  # noqa: PLR0913 - every one of them is part of the bytes; all are named
    rendered: RenderedText,
    *,
    recipient_address: str,
    recipient_name: str = "",
    sender: str,
    sender_name: str = "",
    reply_to: str = "",
    issue_id: int,
    identity: str = "",
    message_date: datetime,
    list_id: str,
    list_name: str = "",
    unsubscribe_url: str = "",
    unsubscribe_mailto: str = "",
    domain: str,
    attachments: Sequence[Attachment] = (),
    dkim: DkimKey | None = None,
    parts: tuple[bytes, bytes] | None = None,
) -> bytes:
    """Return the whole message, CRLF line ends, ASCII but for a recipient or sender that needs SMTPUTF8.

    Names and subject may hold anything; they are cleaned. Raises AddressError, HeaderError or MessageError (all ValueError)
    for addresses, URLs and identifiers that cannot stand in a mail. `message_date` is aware; give the issue's moment, not now.
    `identity`: the Message-ID, where it is not that of the address; `parts`: the text and HTML parts where they are encoded
    already (`digest.plates`).
    """
    if message_date.tzinfo is None:
        raise MessageError("naive message date: give it a time zone")
    identity = identity or message_id(issue_id, recipient_address, domain)
    lines = [
        mailbox_field("From", sender_name, wire_address(sender)),
        mailbox_field("To", recipient_name, wire_address(recipient_address)),
        mailbox_field("Reply-To", "", wire_address(reply_to)) if reply_to else "",
        text_field("Subject", rendered.subject),
        literal_field("Date", format_datetime(message_date)),
        literal_field("Message-ID", identity),
        list_fields(list_id, list_name, unsubscribe_url, unsubscribe_mailto),
        "Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n",
    ]
    seed = hashlib.sha256(identity.encode()).hexdigest()[:24]
    text, html = parts or (_text_part("plain", rendered.text), _text_part("html", rendered.html))
    body = _multipart("alternative", f"=_a{seed}", (text, html))
    if attachments:
        body = _mixed(body, attachments, seed)
    message = "".join(lines).encode("utf-8", "replace") + body
    if dkim is None:
        return message
    from digest.dkim import sign

    return sign(message, dkim, message_date)


def list_fields(list_id: str, list_name: str, url: str, mailto: str) -> str:
    """Return the List-* fields. One-click (RFC 8058) is offered only with an https link; links are never encoded."""
    identity = ascii_domain(clean_line(list_id))
    lines = literal_field("List-Id", *phrase(list_name), f"<{identity}>")
    links = []
    if url:
        links.append(f"<{_checked_url(url)}>")
    if mailto:
        address, _, query = mailto.removeprefix("mailto:").partition("?")
        links.append(f"<{_mailto(wire_address(address), query)}>")
    if links:
        lines += literal_field("List-Unsubscribe", *(f"{link}," for link in links[:-1]), links[-1])
    if url.lower().startswith("https://"):
        lines += literal_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return lines


def _mailto(address: WireAddress, query: str) -> str:
    tail = f"?{quote(query, safe='=&%')}" if query else ""
    return f"mailto:{quote(address.local, safe='!$*+-._~')}@{address.domain}{tail}"


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise MessageError(f"{clean_line(url)[:80]!r} is no link") from error
    plain = url.isascii() and not re.search(r"[\x00-\x20<>\"\\^`{|}\x7f,]", url)
    if parts.scheme.lower() not in {"http", "https"} or not host or not plain:
        raise MessageError(f"{clean_line(url)[:80]!r} is no http(s) link in ASCII")
    return url


def _mixed(body: bytes, attachments: Sequence[Attachment], seed: str) -> bytes:
    files = [_attachment_part(file.filename, file.content_type, file.content) for file in attachments]
    return _multipart("mixed", f"=_m{seed}", (body, *files))


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """Join parts. A boundary that begins with "=_" occurs in no base64."""
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")
    between = f"--{boundary}\r\n".encode("ascii")
    return head + b"".join(between + part for part in parts) + f"--{boundary}--\r\n".encode("ascii")


@lru_cache(maxsize=8)
def _text_part(kind: str, text: str) -> bytes:
    return text_part_head(kind) + base64_lines(canonical_text(text))


def text_part_head(kind: str) -> bytes:
    """Return the fields above a text part; `kind` is plain or html."""
    fields = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return fields.encode("ascii")


def canonical_text(text: str) -> bytes:
    """Return `text` as UTF-8 with CRLF line ends; lone surrogates become question marks."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n").encode("utf-8", "replace")


@lru_cache(maxsize=8)
def _attachment_part(filename: str, content_type: str, content: bytes) -> bytes:
    kind = content_type if _TOKEN.fullmatch(content_type) else "application/octet-stream"
    name = quote(_short_name(filename), safe="")
    head = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename*=utf-8''{name}\r\n\r\n"
    )
    return head.encode("ascii") + base64_lines(content)


def _short_name(filename: str) -> str:
    name = re.sub(r'[/\\:*?"<>|]', "_", clean_line(filename)).strip(". ") or "attachment"
    if len(name.encode("utf-8", "replace")) <= _FILENAME_OCTETS:
        return name
    stem, dot, suffix = name.rpartition(".")
    ending = f"{dot}{suffix}" if stem and len(suffix) <= 8 else ""
    octets = name.removesuffix(ending).encode("utf-8", "replace")[: _FILENAME_OCTETS - len(ending.encode())]
    return octets.decode("utf-8", "ignore") + ending


def base64_lines(content: bytes) -> bytes:
    """Return `content` as base64 in lines of 76 characters, each ended by CRLF; one empty line for nothing."""
    if not content:
        return b"\r\n"
    encoded = binascii.b2a_base64(content, newline=False)
    whole, rest = divmod(len(encoded), _LINE)
    # struct cuts twice as fast as slicing in a loop
    lines = struct.unpack(f"{_LINE}s" * whole + (f"{rest}s" if rest else ""), encoded)
    return b"\r\n".join(lines) + b"\r\n"
