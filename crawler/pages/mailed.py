"""Mail files (EML) and saved web pages (MHTML): their parts, headers decoded, attachments unpacked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message

from crawler.exceptions import PageNotUnderstood
from store.text import clean_line

MAX_PARTS = 200
#: What the mail package raises for broken headers, parameters and transfer encodings.
_BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)
MAX_DEPTH = 12
_HEADER = re.compile(
    rb"\A(?:From |(?:From|Return-Path|Received|Delivered-To|MIME-Version|Subject|Date|Message-ID|To|Reply-To|Sender|"
    rb"Content-Type|DKIM-Signature|X-[\w-]{1,40}|Snapshot-Content-Location):)",
    re.IGNORECASE,
)
_MIME = re.compile(
    rb"^(?:MIME-Version|Content-Type|Message-ID|Subject|Received):", re.IGNORECASE | re.MULTILINE
)
_REPLY = re.compile("^(?:(?:转发|回复|答复|Fwd?|Fw|Re)\\s*[:：]\\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailPart:
    """A leaf of a message: `name` of the file ("" for the message's own text), `mime` type, charset as declared."""

    name: str
    mime: str
    body: bytes
    charset: str | None = None
    location: str | None = None


def is_message(body: bytes) -> bool:
    """Say whether bytes are a mail message or a saved web page."""
    head = body[:8192].lstrip(b"\xef\xbb\xbf\r\n \t")
    return bool(_HEADER.match(head)) and len(_MIME.findall(head)) >= 2


def parse_message(body: bytes) -> Message:
    """Return the parsed message. Raises PageNotUnderstood("bad_archive") for what the parser cannot take."""
    try:
        return message_from_bytes(body, policy=policy.compat32)
    except _BROKEN as error:
        raise PageNotUnderstood("bad_archive", type(error).__name__) from error


def subject_of(message: Message) -> str | None:
    """Return the subject without 转发: and the like, or None."""
    raw = next((value for name, value in message.raw_items() if name.lower() == "subject"), None)
    subject = _REPLY.sub("", clean_line(_decoded(raw))).strip()
    return subject or None


def leaves(message: Message) -> Iterator[MailPart]:
    """Yield the message's parts that are no containers, at most MAX_PARTS. Raises PageNotUnderstood("too_deep")."""
    stack: list[tuple[Message, int]] = [(message, 0)]
    count = 0
    while stack and count < MAX_PARTS:
        part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise PageNotUnderstood("too_deep", "parts in parts")
        payload = part.get_payload() if part.is_multipart() else None
        if isinstance(payload, list):
            stack.extend((child, depth + 1) for child in reversed(payload) if isinstance(child, Message))
            continue
        count += 1
        yield _leaf(part)


def _leaf(part: Message) -> MailPart:
    try:
        body = part.get_payload(decode=True)
    except _BROKEN:
        body = None
    content = body if isinstance(body, bytes) else b""
    disposition = str(part.get("Content-Disposition") or "")
    try:
        name, charset = part.get_filename() or "", part.get_content_charset()
    except _BROKEN:
        name, charset = "", None
    name = (
        clean_line(_decoded(name))
        if name
        else ("attachment" if disposition.lower().startswith("attachment") else "")
    )
    charset = charset if charset and re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", charset) else None
    location = part.get("Content-Location")
    return MailPart(
        name, part.get_content_type(), content, charset, str(location).strip() if location else None
    )


def _decoded(value: object) -> str:
    """Return a header's value with its encoded words decoded; GB18030 stands in for gb2312 and gbk."""
    if value is None:
        return ""
    try:
        pieces = decode_header(str(value))
    except _BROKEN:
        return str(value)
    return "".join(_piece(text, charset) for text, charset in pieces)


def _piece(text: bytes | str, charset: str | None) -> str:
    if isinstance(text, str):
        return text if text.isprintable() else _raw(text.encode("utf-8", "surrogateescape"))
    name = "gb18030" if (charset or "").lower() in {"gb2312", "gbk", "gb18030"} else charset or "utf-8"
    try:
        return text.decode(name, "replace")
    except (LookupError, ValueError):
        return text.decode("gb18030", "replace")


def _raw(header: bytes) -> str:
    """Return a header that was sent without any encoding, as old programs do: UTF-8 or GB18030."""
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("gb18030", "replace")
