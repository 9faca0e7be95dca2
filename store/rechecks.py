"""Articles that are looked at again: which, when, and what their pages said of their freshness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from store.fetched import FetchedPage
from store.models import Article, PageValidator, RawPage, Source

#: An article is looked at again after this time, then each time when as much time again has gone by as since it was first seen:
#: at 12 hours, 1, 2, 4 and 8 days.
FIRST_RECHECK = timedelta(hours=12)
#: Readers whose pages change: newspaper pages and hand-ins stay as they were printed.
_READERS = ("portal",)
#: Validators of pages that nobody has asked for in so long are forgotten.
_FORGET = timedelta(days=60)
#: Most articles that are considered at once.
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Recheck:
    """An article's page that is to be asked for again; `headers` make the request a conditional one."""

    source: str
    url: str
    headers: dict[str, str]


def note_freshness(session: Session, page: FetchedPage) -> None:
    """Keep what the page of an article said of its freshness, and that it was looked at. May be repeated."""
    if page.reader not in _READERS:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {"etag": page.etag, "last_modified": page.last_modified, "fetched_at": page.fetched_at}
    statement = dialect.insert(PageValidator).values(url=page.url, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[PageValidator.url], set_=values))


def take_rechecks(
    session: Session, sources: Sequence[str], now: datetime, limit: int, days: int
) -> list[Recheck]:
    """Return at most `limit` pages of the sources' articles whose time has come: relevant before borderline, newest first.

    Corrections come early, and before the issue they matter most; a first visit's many old articles never hold up new ones.
    They count as looked at from now on, whatever the answer will be. Only articles that may stand in an issue (relevant or
    borderline) and were first seen in the last `days` days are looked at again.
    """
    query = (
        select(Source.name, PageValidator, Article.first_seen_at)
        .join(Article, Article.source_id == Source.id)
        .join(RawPage, RawPage.id == Article.raw_page_id)
        .join(PageValidator, PageValidator.url == Article.url)
        .where(
            Source.name.in_(sources),
            RawPage.kind.in_(_READERS),
            Article.relevant | Article.borderline,
            Article.first_seen_at > now - timedelta(days=days),
            PageValidator.fetched_at <= now - FIRST_RECHECK,
        )
        .order_by(
            Article.relevant.desc(), Article.first_seen_at.desc(), PageValidator.fetched_at, PageValidator.url
        )
        .limit(_MOST)
    )
    found: dict[str, Recheck] = {}
    for source, page, first_seen in session.execute(query):
        if len(found) < limit and now - page.fetched_at >= page.fetched_at - first_seen:
            found[page.url] = Recheck(source, page.url, conditional(page))
    looked_at = update(PageValidator).where(PageValidator.url.in_(found)).values(fetched_at=now)
    session.execute(looked_at.execution_options(synchronize_session=False))
    return list(found.values())


def conditional(page: PageValidator) -> dict[str, str]:
    """Return the headers of a conditional GET; empty when the page said nothing of its freshness."""
    headers = {"If-None-Match": page.etag, "If-Modified-Since": page.last_modified}
    return {name: value for name, value in headers.items() if value}


def forget_freshness(session: Session, now: datetime) -> None:
    """Delete the validators of pages that are not asked for any more; a list that comes back is read once more in full."""
    session.execute(delete(PageValidator).where(PageValidator.fetched_at < now - _FORGET))
