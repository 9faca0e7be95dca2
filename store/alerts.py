"""Alerts: raised once when something went wrong, cleared once when it is well again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Alert


def raise_alert(session: Session, kind: str, subject: str, detail: str, now: datetime) -> bool:
    """Record that `subject` has the trouble `kind`; return whether that is news. Repeating changes only the detail."""
    key = f"{kind}:{subject}"
    standing = session.scalar(select(Alert).where(Alert.key == key, Alert.cleared_at.is_(None)))
    if standing:
        standing.detail = detail
        return False
    session.add(Alert(key=key, kind=kind, subject=subject, detail=detail, raised_at=now))
    return True


def clear_alert(session: Session, kind: str, subject: str, now: datetime) -> bool:
    """Record that the trouble is over; return whether there was one."""
    standing = session.scalars(
        select(Alert).where(Alert.key == f"{kind}:{subject}", Alert.cleared_at.is_(None))
    ).all()
    for alert in standing:
        alert.cleared_at = now
    return bool(standing)


def open_alerts(session: Session) -> list[Alert]:
    """Return the standing alerts, oldest first."""
    return list(
        session.scalars(select(Alert).where(Alert.cleared_at.is_(None)).order_by(Alert.raised_at, Alert.id))
    )


def unreported(session: Session) -> list[Alert]:
    """Return alerts whose raising or clearing no operator has been told of; one raised and cleared untold is left out."""
    rows = session.scalars(
        select(Alert).where(
            Alert.raise_notified_at.is_(None)
            | (Alert.cleared_at.is_not(None) & Alert.clear_notified_at.is_(None))
        )
    )
    return [alert for alert in rows.all() if alert.raise_notified_at or not alert.cleared_at]


def mark_reported(alerts: list[Alert], now: datetime) -> None:
    """Record that operators were told of these alerts as they stand."""
    for alert in alerts:
        alert.raise_notified_at = alert.raise_notified_at or now
        if alert.cleared_at:
            alert.clear_notified_at = now
