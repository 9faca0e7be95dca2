"""How it stands: what the status page, `/metrics` and `/healthz` tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.alerts import open_alerts
from store.counts import Counts, count_all
from store.deliveries import STATES
from store.leases import holder_of
from store.models import Alert, Crawl, Delivery, Issue, Recipient, Source

SOURCE_STATES = ("new", "up", "late", "down", "paused")
CRAWL_OUTCOMES = ("running", "ok", "degraded", "failed", "interrupted")
#: Crawls that began within this time are counted.
CRAWLS_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """Everything kept, counted; words that are not in the tables above are counted too."""

    at: datetime
    daemon: str | None
    counts: Counts
    sources: dict[str, int]
    crawls: dict[str, int]
    deliveries: dict[str, int]
    recipients: int
    alerts: list[Alert] = field(default_factory=list)
    troubled: list[Source] = field(default_factory=list)  # sources late or down, by name
    issue: Issue | None = None  # the latest

    @property
    def issue_age_seconds(self) -> float | None:
        """Seconds since the latest issue was composed; None before the first."""
        return (self.at - self.issue.composed_at).total_seconds() if self.issue else None


def status_of(session: Session, now: datetime) -> Status:
    """Return how it stands at `now`; a handful of counting queries."""
    return Status(
        at=now,
        daemon=holder_of(session, "daemon", now),
        counts=count_all(session),
        sources=_by(session, Source.state, SOURCE_STATES),
        crawls=_by(session, Crawl.outcome, CRAWL_OUTCOMES, Crawl.started_at > now - CRAWLS_WITHIN),
        deliveries=_by(session, Delivery.state, STATES),
        recipients=session.scalar(
            select(func.count())
            .select_from(Recipient)
            .where(Recipient.active, Recipient.unsubscribed_at.is_(None), Recipient.suppressed_at.is_(None))
        )
        or 0,
        alerts=open_alerts(session),
        troubled=list(
            session.scalars(
                select(Source).where(Source.enabled, Source.state.in_(("late", "down"))).order_by(Source.name)
            )
        ),
        issue=session.scalar(select(Issue).order_by(Issue.number.desc()).limit(1)),
    )


def answers(session: Session) -> bool:
    """Return True when the database answers with our tables in it; raises SQLAlchemyError when it does not."""
    session.execute(select(Issue.id).limit(1)).all()
    return True


def _by(session: Session, column: object, words: tuple[str, ...], *conditions: object) -> dict[str, int]:
    found = session.execute(select(column, func.count()).where(*conditions).group_by(column))  # type: ignore[call-overload]
    return dict.fromkeys(words, 0) | {str(word): number for word, number in found.all()}
