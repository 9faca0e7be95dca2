"""Who receives the digest: entries of the configuration file, people added by command, and what they wish themselves."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import idna
import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store import suppressions
from store.config import RecipientEntry, is_address
from store.deliveries import withdraw
from store.models import Alert, Audit, Delivery, Recipient
from store.text import clean_line, clean_text

_WISHES = ("name", "zones", "themes", "provinces", "channels", "word", "send_empty")
_SYNC = "recipient.sync"
#: Longest list of zones, themes, provinces or channels, and longest name in it.
MAX_LIST, MAX_NAME = 500, 100


class RecipientError(ValueError):
    """A recipient that cannot be added, found or changed; the message says why and what to do."""


@dataclass
class SyncReport:
    """What a reading of the configuration file changed. `ignored`: addresses someone already added by command;
    `refused`: addresses that were erased on request.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deactivated: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def normalise_address(address: str) -> str:
    """Return the form an address is kept and compared in: NFC, lower case, no invisible characters, no blanks around it.

    Raises RecipientError for anything that could not be delivered to (RFC 5321 lengths, IDNA).
    """
    kept = clean_text(address).strip().lower()
    local, _, domain = kept.rpartition("@")
    try:
        fits = is_address(kept) and len(local.encode()) <= 64 and "_" not in domain
        fits = fits and (domain.isascii() or bool(idna.encode(domain, uts46=True)))
    except (idna.IDNAError, UnicodeError):
        fits = False
    if not fits:
        raise RecipientError(f"{clean_line(address)[:80]!r} is not a mail address; write name@example.cn")
    return kept


def _wishes(entry: RecipientEntry) -> dict[str, Any]:
    wishes = {key: getattr(entry, key) for key in _WISHES}
    for key in ("zones", "themes", "provinces", "channels"):
        wishes[key] = _clean_list(wishes[key])
    return wishes | {"name": clean_line(entry.name)[:MAX_NAME]}


def _clean_list(names: Sequence[str]) -> list[str]:
    cleaned = (clean_line(name)[:MAX_NAME] for name in names[:MAX_LIST])
    return list(dict.fromkeys(name for name in cleaned if name))


def _target(recipient: Recipient) -> str:
    return f"recipient:{recipient.id}"


def _audit(session: Session, recipient: Recipient, what: str, who: str, now: datetime, **detail: Any) -> None:
    session.add(Audit(at=now, who=who, what=f"recipient.{what}", target=_target(recipient), detail=detail))


def _make(session: Session, entry: RecipientEntry, address: str, origin: str, now: datetime) -> Recipient:
    recipient = Recipient(
        address=address, origin=origin, token_key=secrets.token_hex(16), created_at=now, **_wishes(entry)
    )
    session.add(recipient)
    session.flush()
    return recipient


def sync_recipients(session: Session, entries: Sequence[RecipientEntry], now: datetime) -> SyncReport:
    """Make the rows of origin "config" follow the file. Idempotent.

    An entry is applied when it is new or changed since the last reading, so that wishes a person stated on the preferences
    page survive. Rows whose entry left the file are deactivated. Unsubscribed and suppressed ones stay so; rows made by
    command are not touched. Raises RecipientError for an address that is none.
    """
    report = SyncReport()
    rows = {row.address: row for row in session.scalars(select(Recipient))}
    seen = _last_readings(session)
    wanted = {normalise_address(entry.address): entry for entry in entries}
    for address, entry in wanted.items():
        if row := _entry_row(session, report, rows.get(address), entry, seen=seen, now=now):
            _apply(row, entry)
            row.active = True
            session.add(Audit(at=now, who="config", what=_SYNC, target=_target(row), detail=_wishes(entry)))
    for address, row in rows.items():
        if row.origin == "config" and row.active and address not in wanted:
            row.active = False
            _audit(session, row, "deactivate", "config", now)
            report.deactivated.append(address)
    session.flush()
    withdraw(session)
    return report


def _last_readings(session: Session) -> dict[str, dict[str, Any]]:
    readings = session.execute(
        select(Audit.target, Audit.detail).where(Audit.what == _SYNC).order_by(Audit.id)
    )
    return {str(target): detail for target, detail in readings.all()}


def _entry_row(
    session: Session,
    report: SyncReport,
    row: Recipient | None,
    entry: RecipientEntry,
    *,
    seen: dict[str, dict[str, Any]],
    now: datetime,
) -> Recipient | None:
    """Return the row an entry has to be written to, or None when it is up to date or must not be touched."""
    address = normalise_address(entry.address)
    if row is None and suppressions.is_remembered(session, address):
        report.refused.append(address)
        return None
    if row is None:
        report.added.append(address)
        return _make(session, entry, address, "config", now)
    if row.origin != "config":
        report.ignored.append(address)
        return None
    if row.active and seen.get(_target(row)) == _wishes(entry):
        return None
    report.changed.append(address)
    return row


def _apply(row: Recipient, entry: RecipientEntry) -> None:
    for key, value in _wishes(entry).items():
        setattr(row, key, value)


def find_recipient(session: Session, address: str) -> Recipient | None:
    """Return the recipient with that address, or None; upper and lower case are the same."""
    kept = clean_line(address).lower()
    return session.scalars(select(Recipient).where(Recipient.address == kept)).first()


def get_recipient(session: Session, address: str) -> Recipient:
    """Like `find_recipient`, but raises RecipientError when there is none."""
    if (row := find_recipient(session, address)) is None:
        raise RecipientError(
            f"no recipient {clean_line(address)[:80]!r}; `parknews recipient list` shows them all"
        )
    return row


def find_by_token_key(session: Session, token_key: str) -> Recipient | None:
    """Return the recipient a personal link belongs to, active or not, or None."""
    if not token_key:
        return None
    return session.scalars(select(Recipient).where(Recipient.token_key == token_key)).first()


def list_recipients(session: Session) -> Sequence[Recipient]:
    """Return all recipients by address. Erased ones are not among them."""
    return session.scalars(
        select(Recipient).where(Recipient.origin != "erased").order_by(Recipient.address)
    ).all()


def add_recipient(session: Session, entry: RecipientEntry, now: datetime, who: str) -> Recipient:
    """Add one by command, or take a removed one back with new wishes. Raises RecipientError with the way out."""
    address = normalise_address(entry.address)
    row = find_recipient(session, address)
    if row is None:
        if suppressions.is_remembered(session, address):
            raise RecipientError(
                f"{address} was erased on request; `parknews recipient reactivate` lets it back in"
            )
        row = _make(session, entry, address, "command", now)
    elif row.active:
        raise RecipientError(f"{address} is already a recipient; `parknews recipient list` shows it")
    else:
        _apply(row, entry)
        row.active, row.origin = True, "command"
    _audit(session, row, "add", who, now)
    return row


def remove_recipient(session: Session, address: str, now: datetime, who: str) -> Recipient:
    """Write to `address` no more; the ledger keeps what was sent. Raises RecipientError for one named in the file."""
    row = get_recipient(session, address)
    if row.origin == "config" and row.active:
        raise RecipientError(f"{row.address} stands in the configuration file; take it out there")
    row.active = False
    _audit(session, row, "remove", who, now)
    _settle_ledger(session, row)
    return row


def _settle_ledger(session: Session, recipient: Recipient) -> None:
    session.flush()
    withdraw(session, Delivery.recipient_id == recipient.id)


def unsubscribe(session: Session, recipient: Recipient, now: datetime) -> bool:
    """Stop writing to `recipient` at their wish. Returns False when they had already left."""
    if recipient.unsubscribed_at is not None:
        return False
    recipient.unsubscribed_at = now
    _audit(session, recipient, "unsubscribe", "recipient", now)
    _settle_ledger(session, recipient)
    return True


def resubscribe(session: Session, recipient: Recipient, now: datetime) -> bool:
    """Take an unsubscription back. Returns False when there was none, or an operator removed the recipient."""
    if recipient.unsubscribed_at is None or not recipient.active:
        return False
    recipient.unsubscribed_at = None
    _audit(session, recipient, "resubscribe", "recipient", now)
    return True


def suppress(
    session: Session, recipient: Recipient, reason: str, now: datetime, who: str = "delivery"
) -> bool:
    """Stop writing to an address that refuses mail or complained. Returns False when it was suppressed before."""
    if recipient.suppressed_at is not None:
        return False
    recipient.suppressed_at, recipient.suppressed_reason = now, clean_line(reason)[:200]
    _audit(session, recipient, "suppress", who, now, reason=recipient.suppressed_reason)
    _settle_ledger(session, recipient)
    return True


def reactivate(session: Session, address: str, now: datetime, who: str) -> Recipient | None:
    """Write to `address` again whatever stopped it. None: it was erased and may now be added again.

    Raises RecipientError when nothing is known of it.
    """
    row = find_recipient(session, address)
    kept = normalise_address(address)
    if row is None:
        if not suppressions.is_remembered(session, kept):
            raise RecipientError(f"no recipient {kept!r}; `parknews recipient list` shows them all")
        suppressions.forget(session, kept)
        session.add(Audit(at=now, who=who, what="recipient.readmit", target="", detail={}))
        return None
    row.active, row.unsubscribed_at, row.suppressed_at, row.suppressed_reason = True, None, None, None
    _audit(session, row, "reactivate", who, now)
    return row


def set_preferences(session: Session, recipient: Recipient, wishes: dict[str, Any], now: datetime) -> None:
    """Change what `recipient` wants. `wishes` holds zones, themes, provinces (lists), word, send_empty (booleans) or some.

    Unknown keys raise RecipientError; lists are cleaned and capped.
    """
    if unknown := set(wishes) - {"zones", "themes", "provinces", "word", "send_empty"}:
        raise RecipientError(f"no such preference: {', '.join(sorted(unknown))}")
    for key, value in wishes.items():
        setattr(recipient, key, value if isinstance(value, bool) else _clean_list(value))
    _audit(session, recipient, "preferences", "recipient", now, **wishes)


def revoke_links(session: Session, recipient: Recipient, now: datetime, who: str) -> None:
    """Make every personal link sent so far worthless, e.g. after a mail was forwarded."""
    recipient.token_key = secrets.token_hex(16)
    _audit(session, recipient, "revoke_links", who, now)


def export_person(session: Session, address: str) -> dict[str, Any]:
    """Return everything kept about a person as JSON values. Raises RecipientError when nothing is."""
    row = get_recipient(session, address)
    deliveries = session.scalars(
        select(Delivery).where(Delivery.recipient_id == row.id).order_by(Delivery.id)
    )
    acts = session.scalars(select(Audit).where(Audit.target == _target(row)).order_by(Audit.id))
    hidden = {"token_key"}
    return {
        "recipient": {key: value for key, value in _columns(row).items() if key not in hidden},
        "deliveries": [_columns(delivery) for delivery in deliveries],
        "acts": [_columns(act) for act in acts],
    }


def _columns(row: Recipient | Delivery | Audit) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return {key: msgspec.to_builtins(value) for key, value in values.items()}


def _black_out(session: Session, address: str) -> None:
    """Take the address out of alerts: a server's refusal often repeats it."""
    for alert in session.scalars(select(Alert).where(Alert.detail.icontains(address, autoescape=True))):
        alert.detail = re.sub(re.escape(address), "…", alert.detail, flags=re.IGNORECASE)


def erase(session: Session, address: str, now: datetime, who: str) -> bool:
    """Forget a person: only a hash remains, and a nameless row that the ledger's counts hang on. False: nothing was known.

    Rows are changed; `store.erasure` sees to the bytes. The hash keeps the address from coming back by a file or an import.
    """
    kept = normalise_address(address)
    row = find_recipient(session, kept)
    if row is None:
        return False
    reason = "unsubscribed" if row.unsubscribed_at else row.suppressed_reason or "erased"
    suppressions.remember(session, kept, reason, now)
    session.execute(update(Audit).where(Audit.target == _target(row)).values(detail={}))
    ledger_rows = update(Delivery).where(Delivery.recipient_id == row.id)
    session.execute(ledger_rows.values(reply=None, message_id=None))
    _black_out(session, kept)
    row.address, row.name, row.origin = f"erased-{row.id}@erased.invalid", "", "erased"
    row.zones, row.themes, row.provinces, row.channels = [], [], [], []
    row.active, row.suppressed_reason, row.token_key = False, None, secrets.token_hex(16)
    _audit(session, row, "erase", who, now)
    _settle_ledger(session, row)
    return True
