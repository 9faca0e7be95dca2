"""The ledger of deliveries: every change of state is one conditional UPDATE, and only the holder of a claim may go on.

    queued -> sending -> at_the_dot -> sent
                 |            |------> retry | suppressed | in_doubt
                 |-> retry | suppressed | skipped | bounced

The marker `at_the_dot` is committed just before the message is completed on the wire. A crash before it means that nothing
was delivered (the row is queued again); a crash behind it means that nobody knows, and the row waits for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import (
    insert,
)  # its ON CONFLICT compiles on SQLite too, not the other way round
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, joinedload, selectinload

from store.database import complaint_of, quick_commits
from store.models import Audit, Delivery, Recipient
from store.text import clean_line

#: Where a transaction of the ledger may run: on a connection of its own, or on a kept one.
Database: TypeAlias = Engine | Connection
#: An open transaction of `ledger` or of `step`.
Books: TypeAlias = Session | Connection
DEFAULT_CHANNEL = "mail"
STATES = ("queued", "sending", "at_the_dot", "sent", "retry", "bounced", "suppressed", "skipped", "in_doubt")
_WAITING = ("queued", "retry")
#: A claim older than this is a dead worker's. Longer than the wait for the reply after the final dot (five minutes).
STALE_SECONDS = 900
_REPLY_LENGTH = 500
#: The reason of a row that waits because its recipient's provider takes no more at a time.
PACED = "pace"


class LedgerError(Exception):
    """The ledger cannot be written now: disk full, locked for too long, connection lost. Nothing of the step was kept."""


@contextmanager
def ledger(database: Database) -> Iterator[Session]:
    """One write transaction on the ledger. Raises LedgerError for every fault of the database."""
    with (
        _told_as_ledger_error(),
        _connection(database) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


@contextmanager
def step(connection: Connection, *, synced: bool = True) -> Iterator[Connection]:
    """The same for the two steps of every mail, on a kept connection and without a session, in half the time.

    Without `synced` it survives the death of the process but perhaps not of the machine, and costs no flush of the disk:
    enough for "sent", whose loss leaves a row in doubt, never for the marker.
    """
    commits = nullcontext() if synced else quick_commits(connection)
    with _told_as_ledger_error(), commits, connection.begin():
        yield connection


@contextmanager
def kept_connection(engine: Engine) -> Iterator[Connection]:
    """One connection for many transactions of `ledger`, each of which would fetch and prepare its own otherwise (0.1 ms).

    Between two of them it holds nothing, and one that broke is made anew by the next. For one thread. Raises LedgerError.
    """
    with _told_as_ledger_error():
        connection = engine.connect()
    with connection:
        yield connection


@contextmanager
def _told_as_ledger_error() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(clean_line(complaint_of(error))[:_REPLY_LENGTH]) from error


def _connection(database: Database) -> AbstractContextManager[Connection]:
    return nullcontext(database) if isinstance(database, Connection) else database.connect()


def deliverable() -> Any:
    """The condition under which a recipient gets anything at all."""
    return and_(
        Recipient.active.is_(True), Recipient.unsubscribed_at.is_(None), Recipient.suppressed_at.is_(None)
    )


def enqueue(session: Session, issue_id: int, now: datetime) -> int:
    """Write one row per deliverable recipient and channel. Idempotent; returns how many rows are new."""
    recipients = session.execute(
        select(Recipient.id, Recipient.channels).where(deliverable()).order_by(Recipient.id)
    )
    rows = [
        {"issue_id": issue_id, "recipient_id": key, "channel": channel, "state": "queued", "attempts": 0}
        | {"created_at": now}
        for key, channels in recipients
        for channel in dict.fromkeys(channels or [DEFAULT_CHANNEL])
    ]
    if not rows:
        return 0
    before = _count(session, issue_id)
    new = insert(Delivery).on_conflict_do_nothing(index_elements=["issue_id", "recipient_id", "channel"])
    session.execute(new, rows)
    return _count(session, issue_id) - before


def _count(session: Session, issue_id: int) -> int:
    counted = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.issue_id == issue_id))
    return counted or 0


def _due(now: datetime, channels: Collection[str]) -> Any:
    return and_(
        Delivery.state.in_(_WAITING),
        or_(Delivery.next_attempt_at.is_(None), Delivery.next_attempt_at <= now),
        Delivery.channel.in_(channels),
    )


def count_due(session: Session, now: datetime, channels: Collection[str]) -> int:
    """Return how many deliveries over `channels` could be claimed at `now`."""
    return session.scalar(select(func.count()).select_from(Delivery).where(_due(now, channels))) or 0


def is_due(session: Session, now: datetime, channels: Collection[str]) -> bool:
    """Return whether any delivery over `channels` could be claimed at `now`; quicker than counting them."""
    return session.scalar(select(Delivery.id).where(_due(now, channels)).limit(1)) is not None


def count_unserved(session: Session, channels: Collection[str]) -> int:
    """Return how many deliveries wait for a channel that is not among `channels`."""
    waiting = select(func.count()).select_from(Delivery).where(Delivery.state.in_(_WAITING))
    return session.scalar(waiting.where(Delivery.channel.not_in(channels))) or 0


def claim(
    session: Session, worker: str, now: datetime, limit: int, channels: Collection[str] = (DEFAULT_CHANNEL,)
) -> Sequence[Delivery]:
    """Take up to `limit` due deliveries for `worker`, oldest first, recipients and issues loaded.

    Two workers never get the same row. Rows of recipients who are not to be written to any more are closed on the way.
    """
    due = select(Delivery.id).where(_due(now, channels)).order_by(Delivery.id).limit(limit)
    while ids := session.scalars(due.with_for_update(skip_locked=True)).all():
        if not withdraw(session, Delivery.id.in_(ids)):
            break
    else:
        return []
    mine = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_(_WAITING))
        .values(state="sending", claimed_by=worker, claimed_at=now, attempts=Delivery.attempts + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    return session.scalars(_loaded().where(Delivery.id.in_(mine)).order_by(Delivery.id)).all()


def _loaded() -> Select[Delivery]:
    return (
        select(Delivery)
        .options(joinedload(Delivery.recipient), selectinload(Delivery.issue))
        .execution_options(populate_existing=True)
    )


def withdraw(session: Session, among: Any = None) -> int:
    """Close the waiting deliveries of recipients who left or are suppressed; returns how many.

    `among` is a condition on Delivery that names a few rows: then only their recipients are looked at.
    """
    waiting = Delivery.state.in_(_WAITING)
    gone: Any = Delivery.recipient_id.in_(select(Recipient.id).where(~deliverable()))
    if among is not None:
        gone = and_(among, exists().where(Recipient.id == Delivery.recipient_id, ~deliverable()))
    return _change(
        session,
        and_(waiting, gone),
        state="suppressed",
        reason="recipient_inactive",
        next_attempt_at=None,
    )


def _change(session: Session, condition: Any, **values: Any) -> int:
    statement = (
        update(Delivery).where(condition).values(**values).execution_options(synchronize_session=False)
    )
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


def _held(delivery_id: int, worker: str, *states: str) -> Any:
    return and_(Delivery.id == delivery_id, Delivery.claimed_by == worker, Delivery.state.in_(states))


def _brief(text: str | None) -> str | None:
    return clean_line(text)[:_REPLY_LENGTH] if text is not None else None


_TABLE = cast("Table", Delivery.__table__)
_MINE = and_(_TABLE.c.id == bindparam("key"), _TABLE.c.claimed_by == bindparam("worker"))
#: The two steps of every mail, built once: through the mapper they took four times as long. EXISTS looks at one recipient,
#: IN gathers all of them first (0.8 ms of each mail with 6,000).
_TO_THE_DOT = (
    update(_TABLE)
    .where(
        _MINE,
        _TABLE.c.state == "sending",
        exists().where(Recipient.id == _TABLE.c.recipient_id, deliverable()),
    )
    .values(state="at_the_dot", claimed_at=bindparam("at"), message_id=bindparam("identity"), reply=None)
)
_TO_SENT = (
    update(_TABLE)
    .where(
        _MINE, or_(_TABLE.c.state == "at_the_dot", _TABLE.c.state == "in_doubt")
    )  # IN is written anew for each
    .values(
        state="sent", sent_at=bindparam("at"), reply=bindparam("words"), reason=None, next_attempt_at=None
    )
)


def _took(books: Books, statement: Any, **values: Any) -> bool:
    connection = books if isinstance(books, Connection) else books.connection()
    return connection.execute(statement, values).rowcount == 1


def mark_at_the_dot(
    books: Books, delivery_id: int, worker: str, now: datetime, message_id: str | None = None
) -> bool:
    """Say that the message is about to be completed. False: the claim is lost or the recipient left; do not complete it."""
    return _took(books, _TO_THE_DOT, key=delivery_id, worker=worker, at=now, identity=message_id)


def mark_sent(books: Books, delivery_id: int, worker: str, now: datetime, reply: str | None = None) -> bool:
    """Record that the other side accepted. Also mends a row that was taken for a dead worker's meanwhile."""
    return _took(books, _TO_SENT, key=delivery_id, worker=worker, at=now, words=_brief(reply))


def mark_retry(
    session: Session,
    delivery_id: int,
    worker: str,
    next_attempt_at: datetime,
    reason: str,
    reply: str | None = None,
) -> bool:
    """Put a delivery that was definitely not accepted back for `next_attempt_at`."""
    values = {"state": "retry", "next_attempt_at": next_attempt_at, "reason": reason, "reply": _brief(reply)}
    return (
        _change(
            session,
            _held(delivery_id, worker, "sending", "at_the_dot"),
            claimed_by=None,
            claimed_at=None,
            **values,
        )
        == 1
    )


def _close(
    session: Session, delivery_id: int, worker: str, state: str, reason: str, reply: str | None
) -> bool:
    condition = _held(delivery_id, worker, "sending", "at_the_dot")
    values = {"state": state, "reason": reason, "reply": _brief(reply), "next_attempt_at": None}
    return _change(session, condition, **values) == 1


def mark_skipped(session: Session, delivery_id: int, worker: str, reason: str) -> bool:
    """Close a delivery that has nothing to send or cannot be sent this way."""
    return _close(session, delivery_id, worker, "skipped", reason, None)


def mark_bounced(
    session: Session, delivery_id: int, worker: str, reason: str, reply: str | None = None
) -> bool:
    """Close a delivery that was refused for too long."""
    return _close(session, delivery_id, worker, "bounced", reason, reply)


def mark_suppressed(
    session: Session, delivery_id: int, worker: str, now: datetime, reason: str, reply: str | None = None
) -> bool:
    """Close a delivery whose address was refused for good, and write to that address no more."""
    if not _close(session, delivery_id, worker, "suppressed", reason, reply):
        return False
    recipient_id = session.scalar(select(Delivery.recipient_id).where(Delivery.id == delivery_id))
    session.execute(
        update(Recipient)
        .where(Recipient.id == recipient_id, Recipient.suppressed_at.is_(None))
        .values(suppressed_at=now, suppressed_reason=reason)
    )
    withdraw(session, Delivery.recipient_id == recipient_id)
    return True


def mark_in_doubt(
    session: Session, delivery_id: int, worker: str, reason: str, reply: str | None = None
) -> bool:
    """Say that nobody knows whether the message arrived; it is never sent again by itself."""
    condition = _held(delivery_id, worker, "at_the_dot", "in_doubt")
    return _change(session, condition, state="in_doubt", reason=reason, reply=_brief(reply)) == 1


def release(
    session: Session, ids: Collection[int], worker: str, next_attempt_at: datetime | None = None
) -> int:
    """Give claimed but untried deliveries back, to be claimed again at once or, for the pace's sake, at `next_attempt_at`."""
    condition = and_(Delivery.id.in_(ids), Delivery.claimed_by == worker, Delivery.state == "sending")
    why = {"reason": PACED, "reply": None} if next_attempt_at else {}
    return _change(
        session,
        condition,
        state="queued",
        claimed_by=None,
        claimed_at=None,
        attempts=Delivery.attempts - 1,
        next_attempt_at=next_attempt_at,
        **why,
    )


@dataclass(frozen=True)
class Recovered:
    """What a recovery found: rows queued again, rows that wait for a person."""

    requeued: int = 0
    in_doubt: int = 0


def recover(
    session: Session,
    now: datetime,
    stale_seconds: int = STALE_SECONDS,
    is_dead: Callable[[str], bool] = lambda _worker: False,
) -> Recovered:
    """Settle the claims of workers that are no more: before the dot -> queued, at the dot -> in doubt.

    A worker is taken for dead when `is_dead` says so or its claim is older than `stale_seconds`. Mistaking a slow one for
    dead is harmless: it cannot reach the dot any more, and what it was told behind the dot still counts.
    """
    holders = session.scalars(
        select(Delivery.claimed_by).where(Delivery.state.in_(("sending", "at_the_dot"))).distinct()
    )
    dead = [holder for holder in holders if holder is not None and is_dead(holder)]
    lost = or_(Delivery.claimed_by.in_(dead), Delivery.claimed_at < now - timedelta(seconds=stale_seconds))
    requeued = _change(
        session,
        and_(Delivery.state == "sending", lost),
        state="queued",
        claimed_by=None,
        claimed_at=None,
        next_attempt_at=None,
    )
    doubtful = _change(
        session, and_(Delivery.state == "at_the_dot", lost), state="in_doubt", reason="crash_at_the_dot"
    )
    return Recovered(requeued, doubtful)


def in_doubt(session: Session) -> Sequence[Delivery]:
    """Return the deliveries nobody knows the outcome of, oldest first, recipients and issues loaded."""
    return session.scalars(_loaded().where(Delivery.state == "in_doubt").order_by(Delivery.id)).all()


def settle(session: Session, delivery_id: int, sent: bool, who: str, now: datetime) -> bool:
    """Record what a person found out of a delivery in doubt: it arrived, or it is to be sent again. False: not in doubt."""
    values: dict[str, Any] = {"state": "queued", "claimed_by": None, "claimed_at": None}
    if sent:
        values = {"state": "sent", "sent_at": Delivery.claimed_at}
    condition = and_(Delivery.id == delivery_id, Delivery.state == "in_doubt")
    if _change(session, condition, reason="settled_by_hand", next_attempt_at=None, **values) != 1:
        return False
    session.add(
        Audit(
            at=now, who=who, what="delivery.settle", target=f"delivery:{delivery_id}", detail={"sent": sent}
        )
    )
    return True


def settle_issue(session: Session, issue_id: int, who: str, now: datetime) -> int:
    """Record that an issue went out before this ledger knew of it: what waits counts as sent. Returns how many deliveries."""
    waiting = and_(Delivery.issue_id == issue_id, Delivery.state.in_(_WAITING))
    count = _change(
        session, waiting, state="sent", sent_at=now, reason="settled_by_hand", next_attempt_at=None
    )
    detail = {"sent": True, "count": count}
    session.add(Audit(at=now, who=who, what="delivery.settle", target=f"issue:{issue_id}", detail=detail))
    return count


def summary(session: Session, issue_id: int) -> dict[str, int]:
    """Return how many deliveries of an issue are in each state; states without any are left out."""
    counted = session.execute(
        select(Delivery.state, func.count()).where(Delivery.issue_id == issue_id).group_by(Delivery.state)
    )
    return {str(state): int(count) for state, count in counted.all()}


@dataclass(frozen=True)
class Outlook:
    """What a run leaves: rows that are due, rows put off with the first of their moments and why, rows that wait for a person."""

    due: int = 0
    put_off: int = 0
    next_at: datetime | None = None
    why: str = ""
    in_doubt: int = 0


def outlook(session: Session, now: datetime) -> Outlook:
    """Return what is left to be sent or settled by hand, over all channels."""

    def counted(condition: Any) -> int:
        return session.scalar(select(func.count()).select_from(Delivery).where(condition)) or 0

    waiting = Delivery.state.in_(_WAITING)
    later = and_(waiting, Delivery.next_attempt_at > now)
    first = session.scalar(select(Delivery).where(later).order_by(Delivery.next_attempt_at).limit(1))
    put_off, in_doubt = counted(later), counted(Delivery.state == "in_doubt")
    left = Outlook(due=counted(waiting) - put_off, put_off=put_off, in_doubt=in_doubt)
    if first is None:
        return left
    return replace(left, next_at=first.next_attempt_at, why=first.reply or first.reason or "")


def sent_since(session: Session, channel: str, since: datetime) -> list[tuple[datetime, str]]:
    """Return when and to which address messages went (or may have gone) over `channel` after `since`, oldest first."""
    unclear = and_(Delivery.state.in_(("at_the_dot", "in_doubt")), Delivery.claimed_at > since)
    statement = (
        select(func.coalesce(Delivery.sent_at, Delivery.claimed_at), Recipient.address)
        .join(Recipient, Recipient.id == Delivery.recipient_id)
        .where(Delivery.channel == channel, or_(Delivery.sent_at > since, unclear))
    )
    return sorted((at, address) for at, address in session.execute(statement).all())


def stuck(session: Session, before: datetime) -> Sequence[Delivery]:
    """Return deliveries that were queued before this moment and are still not settled one way or the other."""
    waiting = Delivery.state.in_(("queued", "retry", "sending"))
    return session.scalars(
        select(Delivery).where(waiting, Delivery.created_at < before).order_by(Delivery.id)
    ).all()
