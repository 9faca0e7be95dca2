"""Records go when they are old enough, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.config import Keep
from store.models import Alert, Article, ArticleVersion, Audit, Base, Crawl, PassedUrl, Source
from store.retention import prune_records

AGES = (5, 99, 101, 5000)


def fill(session: Session, make_article: Callable[..., Article], now: datetime) -> None:
    quiet, busy = (Source(name=name, kind="rss", first_seen_at=now) for name in ("quiet", "busy"))
    session.add_all([quiet, busy, article := make_article()])
    session.flush()
    session.add(
        Crawl(
            source_id=quiet.id, started_at=now - timedelta(days=5000), finished_at=now - timedelta(days=5000)
        )
    )
    for age in sorted(AGES, reverse=True):
        then = now - timedelta(days=age)
        session.add_all(
            [
                Crawl(source_id=busy.id, started_at=then, finished_at=then),
                Crawl(source_id=busy.id, started_at=then),
                Alert(key="k", kind="k", subject="s", raised_at=then, cleared_at=then),
                Alert(key="k", kind="k", subject="s", raised_at=then),
                ArticleVersion(article_id=article.id, version=age, title="t", text="", replaced_at=then),
                Audit(at=then, who="w", what="w"),
                PassedUrl(url_key=str(age), reason="r", passed_at=then),
            ]
        )
        session.flush()


def rows(session: Session) -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    counts = {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}
    return {name: count for name, count in counts.items() if count}


def test_what_is_older_than_its_days_goes(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    fill(session, make_article, now)
    before = rows(session)
    names = ("crawls", "alerts", "versions", "audit", "passed_urls")
    gone = prune_records(session, now, dict.fromkeys(names, 100))
    assert gone == dict.fromkeys(names, 2)
    lost = {name: before[name] - count for name, count in rows(session).items() if before[name] != count}
    assert lost == dict.fromkeys(("crawl", "alert", "article_version", "audit", "passed_url"), 2)
    assert prune_records(session, now, dict.fromkeys(names, 100)) == {}


def test_nought_days_are_for_ever_and_tables_have_days_of_their_own(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    fill(session, make_article, now)
    days = {"crawls": 0, "alerts": 100, "versions": 0, "audit": 6000, "passed_urls": 10}
    assert prune_records(session, now, days) == {"alerts": 2, "passed_urls": 3}


def test_every_key_of_the_section_is_a_table(session: Session, now: datetime) -> None:
    days = {name.removesuffix("_days"): getattr(Keep(), name) for name in Keep.__struct_fields__}
    assert prune_records(session, now, days) == {}
