"""Alerts: raised once when something went wrong, cleared once when it is well again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Return alerts whose raising or clearing has not been told to everybody it concerns, oldest first."""
    rows = session.scalars(
        select(Alert)
        .where(
            Alert.raise_notified_at.is_(None)
            | (Alert.cleared_at.is_not(None) & Alert.clear_notified_at.is_(None))
        )
        .order_by(Alert.raised_at, Alert.id)
    )
    return list(rows)


def is_news(alert: Alert, target: str) -> bool:
    """Return whether `target` is to be told of the alert: as it stands, and of its end only when told of it before.

    A target named only after everybody had been told of an alert hears nothing of it.
    """
    told = alert.told.get(target)
    if alert.cleared_at:
        return told == "raised"
    return told is None and alert.raise_notified_at is None


def mark_told(
    session: Session, told: Mapping[int, str], targets: Sequence[str], reached: str, now: datetime
) -> None:
    """Record that the target `reached` ("" for none) was told of alerts (number -> raised or cleared).

    Those of which none of the `targets` is to hear more are done with.
    """
    for alert in session.scalars(select(Alert).where(Alert.id.in_(told))):
        if reached:
            alert.told = alert.told | {reached: told[alert.id]}
        if not any(is_news(alert, target) for target in targets):
            alert.raise_notified_at = alert.raise_notified_at or now
            if alert.cleared_at:
                alert.clear_notified_at = now
