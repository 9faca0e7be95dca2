"""Articles that are looked at again: which, when, and what their pages said of their freshness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from store.database import upsert
from store.fetched import FetchedPage
from store.hints import Listed, compare, spend, trusted
from store.models import Article, PageValidator, RawPage, Source
from store.urls import url_key

#: An article is looked at again after this time, then each time when as much time again has gone by as since it was first seen:
#: at 12 hours, 1, 2, 4 and 8 days.
FIRST_RECHECK = timedelta(hours=12)
#: Mean age of an article when it is corrected: half of all within a day. Assumed, not measured.
CORRECTED_WITHIN = timedelta(hours=35)
#: Readers whose pages change: newspaper pages and hand-ins stay as they were printed.
_READERS = ("portal",)
#: Validators of pages that nobody has asked for in so long are forgotten.
_FORGET = timedelta(days=60)
#: Most articles that are considered at once.
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Recheck:
    """An article's page that is to be asked for again; `headers` make the request a conditional one.

    `article` and `version` are what is known of it now; `hints` the kinds of hints that lead to it.
    """

    source: str
    url: str
    headers: dict[str, str]
    article: int = 0
    version: int = 0
    hints: tuple[str, ...] = ()


def note_freshness(session: Session, *pages: FetchedPage) -> None:
    """Keep what the pages of articles said of their freshness, and that they were looked at. May be repeated."""
    statement = upsert(session, PageValidator)
    said = {name: statement.excluded[name] for name in ("etag", "last_modified", "fetched_at")}
    rows = {
        page.url: {
            "url": page.url,
            "etag": page.etag,
            "last_modified": page.last_modified,
            "fetched_at": page.fetched_at,
        }
        for page in pages
        if page.reader in _READERS
    }
    if rows:
        session.connection().execute(  # not through the ORM, which would double the time
            statement.on_conflict_do_update(index_elements=[PageValidator.url], set_=said),
            list(rows.values()),
        )


def note_listed(
    session: Session, source: str, listed: Sequence[tuple[str, Listed]], now: datetime, days: int
) -> None:
    """Compare (address, what a list says of it) with what is known of the source's recent articles; keep what is new, and hints."""
    query = (
        select(
            Article.url_key, Article.title, PageValidator.url, PageValidator.fetched_at, PageValidator.listed
        )
        .join(PageValidator, PageValidator.url == Article.url)
        .join(Source, Source.id == Article.source_id)
        .where(Source.name == source, *_recent(now, days))
        .order_by(Article.first_seen_at.desc())
        .limit(_MOST)
    )
    rows = session.execute(query).all()
    said: dict[str, list[Listed]] = {}
    for url, entry in listed if rows else ():
        said.setdefault(url_key(url), []).append(entry)
    changed = []
    for key, title, url, read_at, before in rows:
        if entries := said.get(key):
            kinds, known = compare(before, entries, title, read_at)
            if kinds or sorted(known) != sorted(before):
                hint = " ".join(sorted(kinds)) or None
                changed.append({"page": url, "listed": known, "new_hint": hint})
    if changed:
        kept = func.coalesce(bindparam("new_hint", type_=String), PageValidator.hint)
        statement = update(PageValidator).where(PageValidator.url == bindparam("page"))
        statement = statement.values(listed=bindparam("listed"), hint=kept)
        session.connection().execute(statement, changed)


def take_rechecks(
    session: Session, sources: Sequence[str], now: datetime, limit: int, days: int
) -> list[Recheck]:
    """Return the pages that are to be asked for again now; they count as looked at, whatever the answer will be.

    First all to which trusted hints lead: `store.hints` says how many more than `limit` that may be. Then at most `limit` pages
    whose time has come: untrusted hints first, relevant before borderline, those of which no list tells when they were changed
    before the others, then what the look is worth. Only articles that may stand in an issue (relevant or borderline) and were
    first seen in the last `days` days are looked at again.
    """
    query = (
        select(Source, PageValidator, Article.id, Article.version, Article.relevant, Article.first_seen_at)
        .join(Article, Article.source_id == Source.id)
        .join(RawPage, RawPage.id == Article.raw_page_id)
        .join(PageValidator, PageValidator.url == Article.url)
        .where(
            Source.name.in_(sources),
            RawPage.kind.in_(_READERS),
            *_recent(now, days),
            PageValidator.hint.is_not(None) | (PageValidator.fetched_at <= now - FIRST_RECHECK),
        )
        .order_by(
            PageValidator.hint.is_(None),
            Article.relevant.desc(),
            Article.first_seen_at.desc(),
            PageValidator.url,
        )
        .limit(_MOST)
    )
    found: dict[str, Recheck] = {}
    blind: list[tuple[tuple[bool, bool, bool, float], Recheck]] = []
    trust: dict[str, dict[str, Any]] = {}
    for source, page, article, version, relevant, first_seen in session.execute(query):
        kinds = tuple((page.hint or "").split())
        recheck = Recheck(source.name, page.url, conditional(page), article, version, kinds)
        left = trust.setdefault(source.name, source.trust)
        if kinds and trusted(left, kinds):
            trust[source.name] = spend(left, kinds)
            found[page.url] = recheck
        elif now - page.fetched_at >= max(FIRST_RECHECK, page.fetched_at - first_seen):
            told = any(entry[3] for entry in page.listed)
            worth = worth_of_look(now - first_seen, page.fetched_at - first_seen)
            blind.append(((not kinds, not relevant, told, -worth), recheck))
    blind.sort(key=lambda one: one[0])
    found |= {recheck.url: recheck for _, recheck in blind[:limit]}
    looked_at = update(PageValidator).where(PageValidator.url.in_(found)).values(fetched_at=now, hint=None)
    session.execute(looked_at.execution_options(synchronize_session=False))
    return list(found.values())


def worth_of_look(age: timedelta, looked_at: timedelta) -> float:
    """Return what a look at an article of this `age` is worth that was looked at last at the age `looked_at`: 0 to 1.

    The chance that it was corrected since, less with every day by which the correction comes too late for its issue.
    """
    since = math.exp(-max(looked_at, timedelta()) / CORRECTED_WITHIN) - math.exp(-age / CORRECTED_WITHIN)
    return since * math.exp(-age / timedelta(days=7))


def settle_hints(session: Session, rechecks: Sequence[Recheck]) -> None:
    """Learn which hints were true: their articles have another version since."""
    hinted = [recheck for recheck in rechecks if recheck.hints]
    if not hinted:
        return
    names = {recheck.source for recheck in hinted}
    sources = {
        source.name: source for source in session.scalars(select(Source).where(Source.name.in_(names)))
    }
    for recheck in hinted:
        version = session.scalar(select(Article.version).where(Article.id == recheck.article))
        source = sources[recheck.source]
        source.trust = spend(source.trust, recheck.hints, true=version != recheck.version)


def _recent(now: datetime, days: int) -> tuple[ColumnElement[bool], ...]:
    return (Article.relevant | Article.borderline, Article.first_seen_at > now - timedelta(days=days))


def conditional(page: PageValidator) -> dict[str, str]:
    """Return the headers of a conditional GET; empty when the page said nothing of its freshness."""
    headers = {"If-None-Match": page.etag, "If-Modified-Since": page.last_modified}
    return {name: value for name, value in headers.items() if value}


def forget_freshness(session: Session, now: datetime) -> None:
    """Delete the validators of pages that are not asked for any more; a list that comes back is read once more in full."""
    session.execute(delete(PageValidator).where(PageValidator.fetched_at < now - _FORGET))
