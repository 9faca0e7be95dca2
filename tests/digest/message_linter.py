"""A second opinion on a mail's bytes: RFC 5322, 2045 to 2047, 2231 and 2369 as far as this product uses them."""

from __future__ import annotations

import base64
import binascii
import re

_FIELD = re.compile(rb"([!-9;-~]+):(.*)", re.DOTALL)
_WORD = re.compile(r"=\?utf-8\?b\?([A-Za-z0-9+/=]+)\?=")
_ADDRESS = re.compile(r"(?:(?:\"(?:[^\"\\]|\\.)*\"|[^<>\",]+) )?<?[^\s<>@,\"]+@[a-z0-9.-]+>?")
_UNIQUE = (
    "from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type", "list-id",
    "list-unsubscribe", "list-unsubscribe-post", "auto-submitted", "precedence", "content-transfer-encoding",
    "content-disposition", "dkim-signature",
)  # fmt: skip
_NEEDED = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "list-id",
    "auto-submitted",
}


def lint(message: bytes, *, utf8: bool = False) -> list[str]:
    """Return everything wrong with a message; `utf8` allows UTF-8 in its top header (RFC 6532)."""
    faults = []
    if re.search(rb"\r(?!\n)|(?<!\r)\n", message) or b"\0" in message:
        faults.append("a bare CR, LF or NUL")
    if any(len(line) > 998 for line in message.split(b"\r\n")):
        faults.append("a line of more than 998 octets")
    head, gap, body = message.partition(b"\r\n\r\n")
    if not gap:
        return [*faults, "no end of the header"]
    fields, wrong = read_fields(head)
    faults += wrong
    if not head.isascii() and not utf8:
        faults.append("non-ASCII in the header")
    if not body.isascii():
        faults.append("non-ASCII in the body")
    faults += [f"no {name}" for name in sorted(_NEEDED - set(fields))]
    for name, value in fields.items():
        faults += _lint_value(name, value)
    return faults + _lint_parts(fields.get("content-type", ""), body)


def read_fields(head: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the unfolded fields by lower-case name and what is wrong with them."""
    fields: dict[str, str] = {}
    faults: list[str] = []
    for line in re.split(rb"\r\n(?![ \t])", head):
        found = _FIELD.fullmatch(line)
        if not found:
            faults.append(f"no field: {line[:40]!r}")
            continue
        if any(not part.strip() for part in found[2].split(b"\r\n")[1:]):
            faults.append("a folded line of blanks only")
        name = found[1].decode().lower()
        if name in fields:
            faults.append(f"{name} twice")
        if name not in _UNIQUE:
            faults.append(f"unexpected field {name}")
        fields[name] = found[2].replace(b"\r\n", b"").decode("utf-8", "replace").strip()
    return fields, faults


def _lint_value(name: str, value: str) -> list[str]:
    faults = []
    if re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]", value):
        faults.append(f"{name}: a control character")
    for word in re.findall(r"=\?\S*", value):
        found = _WORD.fullmatch(word)
        if not found or len(word) > 75:
            faults.append(f"{name}: {word[:80]!r} is no encoded word")
            continue
        try:
            base64.b64decode(found[1], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            faults.append(f"{name}: an encoded word that splits a character")
    if name in {"from", "to", "reply-to"} and not _ADDRESS.fullmatch(value):
        faults.append(f"{name}: {value[:80]!r} is not one mailbox")
    if name.startswith("list-unsubscribe") and "=?" in value:
        faults.append(f"{name} is encoded")
    if name == "list-unsubscribe" and not re.fullmatch(r"<[^<>\s,]+>(, <[^<>\s,]+>)*", value):
        faults.append(f"{name}: {value[:80]!r}")
    if name == "message-id" and not re.fullmatch(r"<[A-Za-z0-9.]+@[a-z0-9.-]+>", value):
        faults.append(f"{name}: {value[:80]!r}")
    return faults


def _lint_parts(content_type: str, body: bytes) -> list[str]:
    found = re.fullmatch(r'multipart/(alternative|mixed); *boundary="([^"\s]{1,70})"', content_type)
    if not found:
        return [f"content-type {content_type[:80]!r}"]
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[2].encode())
    if not pieces[-1].startswith(b"--") or len(pieces) < 3:
        return ["a multipart without end"]
    faults = []
    for piece in pieces[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields, wrong = read_fields(head)
        faults += wrong
        if fields.get("content-type", "").startswith("multipart/"):
            faults += _lint_parts(fields["content-type"], content)
        elif fields.get("content-transfer-encoding") != "base64":
            faults.append("a part that is not base64")
        else:
            faults += _lint_base64(content)
    return faults


def _lint_base64(content: bytes) -> list[str]:
    try:
        base64.b64decode(content.replace(b"\r\n", b""), validate=True)
    except binascii.Error as error:
        return [f"base64: {error}"]
    return ["a base64 line of more than 76"] if any(len(line) > 76 for line in content.split(b"\r\n")) else []
