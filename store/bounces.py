"""What came back after a mail was accepted: noted on its delivery, and the address suppressed when it keeps coming back."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Delivery, Recipient
from store.recipients import find_recipient, suppress
from store.text import clean_line

Kind = Literal["hard", "soft", "complaint"]
Outcome = Literal["unknown", "known", "noted", "suppressed"]
#: Issues in a row that came back before an address is given up: for good (no such user), for now (mailbox full).
HARD_AFTER, SOFT_AFTER = 2, 4


def record_bounce(
    session: Session,
    kind: Kind,
    detail: str,
    now: datetime,
    *,
    message_id: str = "",
    address: str = "",
    hard_after: int = HARD_AFTER,
    soft_after: int = SOFT_AFTER,
) -> Outcome:
    """Note a bounce or complaint on the delivery with `message_id`, else on the last one that went to `address`.

    "unknown": no mail of ours; "known": noted before (nothing changes). A complaint suppresses at once, the others after
    that many issues in a row. Whoever knows an address can forge a report that names nothing else; a Message-ID only those
    have who handled the mail. So without one all kinds count as soft.
    """
    delivery = _find(session, message_id, address)
    if delivery is None:
        return "unknown"
    if delivery.state == "bounced":
        return "known"
    if not message_id:
        kind = "soft"
    delivery.state, delivery.reason = "bounced", f"bounce_{kind}"
    delivery.reply = clean_line(detail)[:500]
    session.flush()
    recipient = session.get_one(Recipient, delivery.recipient_id)
    if kind == "complaint" or _keeps_bouncing(session, recipient.id, hard_after, soft_after):
        suppress(session, recipient, f"bounce_{kind}", now, who="bounces")
        return "suppressed"
    return "noted"


def _find(session: Session, message_id: str, address: str) -> Delivery | None:
    went = (
        select(Delivery)
        .where(Delivery.state.in_(("sent", "in_doubt", "bounced")))
        .order_by(Delivery.id.desc())
    )
    if message_id:
        return session.scalars(went.where(Delivery.message_id == message_id).limit(1)).first()
    recipient = find_recipient(session, address) if address else None
    if recipient is None:
        return None
    mine = went.where(Delivery.recipient_id == recipient.id, Delivery.channel == "mail")
    return session.scalars(mine.limit(1)).first()


def _keeps_bouncing(session: Session, recipient_id: int, hard_after: int, soft_after: int) -> bool:
    reasons = session.scalars(
        select(Delivery.reason)
        .where(Delivery.recipient_id == recipient_id, Delivery.state.in_(("sent", "bounced")))
        .order_by(Delivery.id.desc())
        .limit(max(hard_after, soft_after))
    ).all()
    hard = [reason == "bounce_hard" for reason in reasons[:hard_after]]
    any_kind = [(reason or "").startswith("bounce_") for reason in reasons[:soft_after]]
    return (len(hard) == hard_after and all(hard)) or (len(any_kind) == soft_after and all(any_kind))
