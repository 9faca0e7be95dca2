"""Monitors: facts in the database become alerts, raised once and cleared once; operators are told of each change once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.context import Store
from store.alerts import clear_alert, mark_reported, open_alerts, raise_alert, unreported
from store.database import Session, session_scope
from store.deliveries import in_doubt, stuck
from store.issues import issue_by_id, last_issues
from store.models import Alert, Source
from store.sources import all_sources

logger = logging.getLogger(__name__)
#: An issue that has not gone out this long after its hour is an alarm.
ISSUE_GRACE = timedelta(minutes=30)
#: Failures in a row after which a source counts as broken; one failure is a hiccup of the net.
BROKEN_AFTER = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble: its kind, whom it concerns, what was seen."""

    kind: str
    subject: str
    detail: str


Monitor = Callable[[Session, Store, datetime], Iterator[Finding]]


def broken_source(session: Session, store: Store, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """Sources that failed several times in a row."""
    for source in all_sources(session):
        if source.enabled and source.error_count >= BROKEN_AFTER:
            yield Finding(
                "broken_source",
                source.name,
                f"{source.error_count} failures in a row, last: {source.last_error or source.last_reason}",
            )


def silent_source(session: Session, store: Store, now: datetime) -> Iterator[Finding]:
    """Sources that answer and have brought nothing new for longer than the configured days."""
    limit = timedelta(days=store.config.daemon.silent_days)
    for source in all_sources(session):
        since = source.last_new_at or source.first_seen_at
        if source.enabled and source.state == "up" and now - since > limit:
            yield Finding("silent_source", source.name, f"nothing new since {_day(store, since)}")


def late_issue(session: Session, store: Store, now: datetime) -> Iterator[Finding]:
    """No issue half an hour after it was due."""
    from digest.period import due_at

    due = due_at(now, store.config.digest, store.config.zone_info)
    issue = next(iter(last_issues(session, 1)), None)
    began = min((source.first_seen_at for source in all_sources(session)), default=now)
    if now - due > ISSUE_GRACE and began < due and (issue is None or issue.due_at < due):
        yield Finding(
            "late_issue",
            "weekly",
            f"the issue due {due.astimezone(store.config.zone_info):%Y-%m-%d %H:%M} was not composed",
        )


def empty_issue(session: Session, store: Store, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """The latest issue has no story."""
    latest = next(iter(last_issues(session, 1)), None)
    issue = issue_by_id(session, latest.id) if latest else None
    if issue is not None and not issue.stories:
        yield Finding(
            "empty_issue", f"issue {issue.number}", "the latest issue holds no story; look at the sources"
        )


def doubtful_delivery(session: Session, store: Store, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """Deliveries of which nobody knows whether they arrived."""
    for delivery in in_doubt(session):
        yield Finding(
            "in_doubt",
            f"delivery {delivery.id}",
            "it may or may not have arrived; `parknews deliver --in-doubt` lists and settles it",
        )


def stuck_delivery(session: Session, store: Store, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """Deliveries that have been waiting for a day."""
    for delivery in stuck(session, now - timedelta(days=1)):
        yield Finding(
            "stuck_delivery",
            f"delivery {delivery.id}",
            f"{delivery.state} after {delivery.attempts} attempt(s): {delivery.reply or delivery.reason or 'no mail server configured'}",
        )


MONITORS: tuple[Monitor, ...] = (
    broken_source,
    silent_source,
    late_issue,
    empty_issue,
    doubtful_delivery,
    stuck_delivery,
)


def run_monitors(store: Store, now: datetime) -> list[Finding]:
    """Raise what is found, clear what is no longer found; return what is found. May be repeated."""
    with session_scope(store.engine) as session:
        findings = [finding for monitor in MONITORS for finding in monitor(session, store, now)]
        standing = {(finding.kind, finding.subject) for finding in findings}
        for finding in findings:
            if raise_alert(session, finding.kind, finding.subject, finding.detail, now):
                logger.warning("alert %s %s: %s", finding.kind, finding.subject, finding.detail)
        kinds = {monitor.__name__ for monitor in MONITORS} | {"in_doubt"}
        for alert in open_alerts(session):
            if (
                alert.kind in kinds
                and (alert.kind, alert.subject) not in standing
                and clear_alert(session, alert.kind, alert.subject, now)
            ):
                logger.info("alert cleared: %s %s", alert.kind, alert.subject)
    return findings


def report_alerts(store: Store, now: datetime) -> int:
    """Tell the operators in one mail of every alert that was raised or cleared since they were last told; return how many.

    Without operators or mail server the log is all there is. When the mail cannot be sent, it is tried again next time.
    """
    config = store.config
    with session_scope(store.engine) as session:
        alerts = unreported(session)
        if not alerts or not config.operators or not config.mail.host:
            mark_reported(alerts, now)
            return 0
        from digest.parcels import send_alerts

        send_alerts(config, [_line(alert, store) for alert in alerts], now)
        mark_reported(alerts, now)
        return len(alerts)


def _line(alert: Alert, store: Store) -> dict[str, str]:
    moment = alert.cleared_at or alert.raised_at
    return {
        "state": "cleared" if alert.cleared_at else "raised",
        "kind": alert.kind,
        "subject": alert.subject,
        "detail": alert.detail,
        "at": f"{moment.astimezone(store.config.zone_info):%Y-%m-%d %H:%M}",
    }


def _day(store: Store, moment: datetime) -> str:
    return f"{moment.astimezone(store.config.zone_info):%Y-%m-%d}"


def source_states(session: Session) -> dict[str, list[Source]]:
    """Return the sources by state."""
    states: dict[str, list[Source]] = {}
    for source in all_sources(session):
        states.setdefault(source.state, []).append(source)
    return states
