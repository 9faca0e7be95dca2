"""Read mail that came back: delivery status notifications (RFC 3464), complaints (RFC 5965), and the prose of Chinese providers.

Pure but for `read_folder`. Everything in such a mail may be forged, so it only ever counts against a mail that the ledger
says was sent, and never stops an address by itself unless it is a complaint or keeps coming (see `store.bounces`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from pathlib import Path
from typing import Any

from store.bounces import HARD_AFTER, SOFT_AFTER, Kind, record_bounce
from store.deliveries import Database, ledger
from store.text import clean_line

#: Longer mails are read up to here; a report and the head of what it returns fit many times.
MAX_OCTETS = 1_000_000
#: Parts a mail may have before it is no report but an attack.
_MAX_PARTS = 60
#: Characters of prose looked at.
_MAX_PROSE = 20_000
#: A Message-ID as `digest.message` makes them.
_OUR_ID = re.compile(rb"<\d{1,10}\.[0-9a-f]{32}@[a-zA-Z0-9.-]{1,253}>")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_RETURNED = re.compile(
    r"退信|退回|投递失败|发送失败|未送达|undeliver|delivery.{0,20}(?:fail|status|notif)|returned mail|failure notice|bounce",
    re.IGNORECASE,
)
_SENDER = re.compile(r"mailer-daemon|postmaster|bounce|mail-?deliver", re.IGNORECASE)
_CODE = re.compile(
    r"(?<![\d.])([45])\d\d[ -]{1,2}(?:([45]\.\d{1,3}\.\d{1,3}) )?|(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])"
)
#: Words of refusals that pass: room, pace, content, policy. They weigh more than a bare 550, less than a plain "no such user"
#: in prose, whose advice to the reader names many of them; in a report's one diagnostic line they come first.
_PASSING = (
    "邮箱已满", "容量已满", "空间不足", "超出容量", "mailbox full", "mailbox is full", "quota", "over quota", "insufficient storage",
    "频率", "frequency", "过于频繁", "too many", "too frequent", "rate limit", "垃圾邮件", "spam", "拒收", "黑名单", "blacklist", "blocked",
    "policy", "暂时", "稍后", "temporar", "try again", "timed out", "timeout", "超时", "greylist", "内容",
)  # fmt: skip
#: Words that say there is no such mailbox, and will not be.
_FINAL = (
    "不存在", "地址有误", "无此用户", "没有此用户", "找不到收件人", "查无此人", "已注销", "已停用", "用户被禁用", "no such user",
    "user unknown", "unknown user", "user not found", "mailbox not found", "mailbox unavailable", "does not exist", "invalid recipient",
    "recipient address rejected", "address rejected", "no mailbox", "account disabled", "user doesn't", "not a valid mailbox",
    "no such recipient", "domain not found", "host not found", "域名不存在",
)  # fmt: skip


@dataclass(frozen=True)
class Bounce:
    """One mail that came back. `message_id` and `address` as far as the report tells them, one of them at least."""

    kind: Kind
    message_id: str
    address: str
    detail: str


def read_bounce(octets: bytes) -> Bounce | None:
    """Return what a mail says of one of ours, or None: no report, a mere delay, an automatic reply, broken or hostile."""
    octets = octets[:MAX_OCTETS]
    if octets.lower().count(b"content-type:") > _MAX_PARTS or octets.lower().count(b"boundary=") > _MAX_PARTS:
        return None
    try:
        message = message_from_bytes(octets, policy=policy.compat32)
        kind, address, detail = _read_report(message) or _read_prose(message) or (None, "", "")
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError):
        return None  # what the library raises for the mails of others is not documented
    found = _OUR_ID.search(octets)
    identity = found[0].decode("ascii") if found else ""
    if kind is None or not (identity or address):
        return None
    return Bounce(kind, identity, address.lower(), clean_line(detail)[:300])


_Finding = tuple[Kind, str, str]


def _read_report(message: Message) -> _Finding | None:
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return _read_complaint(message, part)
        if kind == "message/delivery-status":
            return _read_status(part)
    return None


def _blocks(part: Message) -> Iterator[Message]:
    payload: Any = part.get_payload()
    yield from (
        payload
        if isinstance(payload, list)
        else [message_from_bytes(str(payload).encode("utf-8", "replace"))]
    )


def _read_status(part: Message) -> _Finding | None:
    """Read the per-recipient fields. We write to one recipient a mail, so the first failed one is it."""
    for block in _blocks(part):
        if _field(block, "Action").lower() != "failed":
            continue
        address = _typed(block, "Original-Recipient") or _typed(block, "Final-Recipient")
        status, words = _field(block, "Status"), _typed(block, "Diagnostic-Code")
        kind = _kind_of(status, words)
        return kind, address, f"{status} {words}"
    return None


def _kind_of(status: str, words: str) -> Kind:
    lowered = words.lower()
    if any(word in lowered for word in _PASSING) or status.startswith(("4.", "5.2.2", "5.3.", "5.7.")):
        return "soft"
    return "hard" if status.startswith("5.") or any(word in lowered for word in _FINAL) else "soft"


def _read_complaint(message: Message, part: Message) -> _Finding | None:
    block = next(_blocks(part))
    if _field(block, "Feedback-Type").lower() not in {"abuse", "fraud", "opt-out", "opt-out-list"}:
        return None
    address = _bare(_field(block, "Original-Rcpt-To"))
    for other in message.walk():
        if not address and other is not message and other.get("Message-ID") and other.get("To"):
            address = _bare(_field(other, "To"))
    return "complaint", address, f"complaint: {_field(block, 'Feedback-Type')}"


def _raw(message: Message, name: str) -> str:
    """Return the first field of that name as it stands, whatever its octets are; empty when there is none."""
    found = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return _text(found[:2000].encode("utf-8", "surrogateescape"), None)


def _field(block: Message, name: str) -> str:
    return clean_line(_raw(block, name))[:500]


def _typed(block: Message, name: str) -> str:
    """Return a field's value behind its type: `rfc822; a@example.cn`, `smtp; 550 no such user`."""
    value = _field(block, name)
    kind, semicolon, rest = value.partition(";")
    value = rest.strip() if semicolon and kind.strip().isascii() else value
    return _bare(value) if name.endswith("Recipient") else value


def _bare(value: str) -> str:
    found = _ADDRESS.search(value[:500])
    return found[0] if found else ""


def _read_prose(message: Message) -> _Finding | None:
    """Read a report written for people, as QQ, 网易, 新浪 and older servers send them."""
    if _field(message, "Auto-Submitted").lower() == "auto-replied" or message.get("X-Autoreply"):
        return None
    sender, subject = _decoded(message, "From"), _decoded(message, "Subject")
    if not (_SENDER.search(sender) or _RETURNED.search(subject)):
        return None
    text = clean_line(_prose(message))
    lowered = text.lower()
    passing = any(word in lowered for word in _PASSING)
    code = next(_CODE.finditer(text), None)
    final = any(word in lowered for word in _FINAL)
    if not (passing or final or code):
        return None
    digit = (code[1] or (code[3] or "")[:1]) if code else ""
    kind: Kind = "hard" if final or (digit == "5" and not passing) else "soft"
    own = _ADDRESS.findall(_decoded(message, "To"))
    others = [found for found in _ADDRESS.findall(text) if found not in own and not _SENDER.search(found)]
    begin = max(code.start() - 60, 0) if code else 0
    return kind, others[0] if others else "", text[begin : begin + 200]


def _decoded(message: Message, name: str) -> str:
    value = _raw(message, name)
    try:
        pieces = decode_header(value)
    except MessageError:
        return clean_line(value)
    return clean_line("".join(_text(piece, charset) for piece, charset in pieces))


def _text(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    for encoding in (charset or "utf-8", "gb18030"):
        try:
            return piece.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return piece.decode("utf-8", "replace")


def _prose(message: Message) -> str:
    """Return the text of the parts written for people, HTML without its tags, up to a limit."""
    gathered: list[str] = []
    left = _MAX_PROSE
    for part in message.walk():
        if part.get_content_maintype() != "text" or left <= 0:
            continue
        payload: Any = part.get_payload(decode=True)
        text = _text((payload or b"")[: 4 * left], part.get_content_charset())
        if part.get_content_subtype() == "html":
            text = re.sub(r"<[^<>]*>", " ", text)
        gathered.append(text[:left])
        left -= len(text)
    return "\n".join(gathered)


def read_folder(
    engine: Database,
    folder: Path,
    now: datetime,
    *,
    hard_after: int = HARD_AFTER,
    soft_after: int = SOFT_AFTER,
) -> Counter[str]:
    """Take in every `.eml` of `folder`, oldest name first, and move it to `done/`; returns counts by outcome.

    Words: no_report (left to a person in `other/`), unknown, known, noted, suppressed, unreadable (stays where it is). Raises
    OSError and LedgerError; what was not moved is read again, which changes nothing.
    """
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.eml")):
        try:
            with path.open("rb") as file:
                bounce = read_bounce(file.read(MAX_OCTETS))
        except OSError:  # one file must not keep the others from being read
            counts["unreadable"] += 1
            continue
        outcome = "no_report"
        if bounce is not None:
            with ledger(engine) as session:
                outcome = record_bounce(
                    session,
                    bounce.kind,
                    bounce.detail,
                    now,
                    message_id=bounce.message_id,
                    address=bounce.address,
                    hard_after=hard_after,
                    soft_after=soft_after,
                )
        counts[outcome] += 1
        target = folder / ("other" if outcome in {"no_report", "unknown"} else "done")
        target.mkdir(exist_ok=True)
        path.replace(target / path.name)
    return counts
