"""How it stands: what the status page, `/metrics` and `/healthz` tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from store.alerts import open_alerts
from store.counts import Counts, count_all
from store.deliveries import STATES
from store.leases import holder_of
from store.models import Alert, Article, Crawl, Delivery, Issue, Recipient, Source
from store.sources import recent_crawls, weekly_new

SOURCE_STATES = ("new", "up", "late", "down", "paused")
CRAWL_OUTCOMES = ("running", "ok", "degraded", "failed", "interrupted")
#: Crawls that began within this time are counted.
CRAWLS_WITHIN = timedelta(days=1)
#: So many sources in trouble are named.
MOST_TROUBLED = 100
#: Weeks of news a source's line shows.
WEEKS = 12
#: What an alert's word is called towards operators.
ALERT_WORDS = {
    "unreachable": "来源无法访问",
    "refused": "来源拒绝访问",
    "certificate": "来源证书有误",
    "redirected_home": "栏目跳转到首页",
    "robots_changed": "来源改为不许抓取",
    "layout_changed": "来源版式变更",
    "frozen": "来源停止更新",
    "flooded": "来源条目暴增",
    "encoding_broken": "来源文字乱码",
    "all_irrelevant": "来源内容全不相关",
    "dates_missing": "来源日期缺失",
    "crawl_failed": "采集程序出错",
    "silent_source": "来源长期没有更新",
    "network": "本机网络不通",
    "clock": "本机时钟有误",
    "late_issue": "本期未按时编成",
    "issue_not_sent": "本期未能发出",
    "empty_issue": "本期没有报道",
    "in_doubt": "投递结果不明",
    "stuck_delivery": "投递停滞",
    "daemon_dead": "守护进程没有运行",
    "sources_file": "来源清单有误",
    "delivery_stopped": "投递中断",
    "bounces_unread": "退信未能读取",
}
_BARS = "▁▂▃▄▅▆▇█"
#: The states of sources as they are listed.
TROUBLE_FIRST = ("down", "late", "new", "up", "paused")
_ORDER = {state: place for place, state in enumerate(TROUBLE_FIRST)}


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
    troubled: list[Source] = field(default_factory=list)  # MOST_TROUBLED sources, those down first
    issue: Issue | None = None  # the latest

    @property
    def issue_age_seconds(self) -> float | None:
        """Seconds since the latest issue was composed; None before the first."""
        return (self.at - self.issue.composed_at).total_seconds() if self.issue else None

    @property
    def more_troubled(self) -> int:
        """How many sources are late or down beyond those listed."""
        return max(0, self.sources["late"] + self.sources["down"] - len(self.troubled))


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
                select(Source)
                .where(Source.enabled, Source.state.in_(("late", "down")))
                .order_by(Source.state, Source.name)
                .limit(MOST_TROUBLED)
            )
        ),
        issue=session.scalar(select(Issue).order_by(Issue.number.desc()).limit(1)),
    )


@dataclass(frozen=True, slots=True)
class Visits:
    """Sources with a bar for each of twelve weeks, trouble first; the latest visits of all, newest first."""

    sources: list[tuple[Source, str]]
    omitted: int  # sources beyond `most`
    runs: list[tuple[str, Crawl]]


def visits_of(session: Session, now: datetime, *, most: int = 500, runs: int = 8) -> Visits:
    """Return how the sources have been visited until `now`, `most` sources and `runs` visits of them."""
    order = case(_ORDER, value=Source.state, else_=0)
    rows = list(session.scalars(select(Source).order_by(order, Source.name).limit(most)))
    weeks = weekly_new(session, now, WEEKS, [row.id for row in rows])
    listed = [(row, sparkline(weeks.get(row.id, [0] * WEEKS))) for row in rows]
    omitted = (session.scalar(select(func.count()).select_from(Source)) or 0) - len(listed)
    return Visits(listed, omitted, recent_crawls(session, runs))


def source_counts(session: Session) -> dict[str, int]:
    """Return how many sources there are by state, trouble first, states without any too."""
    return _by(session, Source.state, TROUBLE_FIRST)


def sample_of(session: Session, source_id: int, limit: int = 3) -> list[Article]:
    """Return the latest articles of a source, newest first."""
    query = select(Article).where(Article.source_id == source_id).order_by(Article.id.desc()).limit(limit)
    return list(session.scalars(query))


def sparkline(counts: Sequence[int]) -> str:
    """Return one bar per count, the highest for the largest; a dot for none."""
    top = max(counts, default=0)
    return "".join(_BARS[(count * 7 + top - 1) // top] if count else "·" for count in counts)


def answers(session: Session) -> bool:
    """Return True when the database answers with our tables in it; raises SQLAlchemyError when it does not."""
    session.execute(select(Issue.id).limit(1)).all()
    return True


def _by(session: Session, column: object, words: tuple[str, ...], *conditions: object) -> dict[str, int]:
    found = session.execute(select(column, func.count()).where(*conditions).group_by(column))  # type: ignore[call-overload]
    return dict.fromkeys(words, 0) | {str(word): number for word, number in found.all()}
