"""How long records are kept that only look back: visits, cleared alerts, earlier texts, who did what, addresses passed by.

Articles, stories, issues, deliveries and recipients are never deleted by age; raw pages have limits of their own
(`store.pages.prune_pages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from store.models import Alert, ArticleVersion, Audit, Base, Crawl, PassedUrl

#: Name in section [keep] without `_days` -> the table and the moment a row's age counts from; None: it stays for now.
_AGES: dict[str, tuple[type[Base], ColumnElement[datetime | None]]] = {
    "crawls": (Crawl, Crawl.__table__.c.finished_at),
    "alerts": (Alert, Alert.__table__.c.cleared_at),
    "versions": (ArticleVersion, ArticleVersion.__table__.c.replaced_at),
    "audit": (Audit, Audit.__table__.c.at),
    "passed_urls": (PassedUrl, PassedUrl.__table__.c.passed_at),
}


def prune_records(session: Session, now: datetime, days: Mapping[str, int]) -> dict[str, int]:
    """Delete what is older than `days` says for each name of `_AGES` (0: kept for ever); return how many rows of what.

    Visits that still run, alerts that still stand and the latest visit of every source stay whatever their age.
    """
    counts: dict[str, int] = {}
    for name, (model, moment) in _AGES.items():
        if not days[name]:
            continue
        doomed = delete(model).where(moment < now - timedelta(days=days[name]))
        if model is Crawl:
            doomed = doomed.where(Crawl.id.not_in(select(func.max(Crawl.id)).group_by(Crawl.source_id)))
        counts[name] = session.connection().execute(doomed).rowcount
    return {name: count for name, count in counts.items() if count}
