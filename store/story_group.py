"""Grouping documents that are not in the store, through the very code and tables the store uses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from store.database import read_scope, session_scope
from store.models import Article, StoryArticle
from store.story_assign import assign_story
from store.story_fold import fold
from store.story_index import expect
from store.story_rebuild import settle_stories
from store.story_records import table_of
from store.text import clean_line, clean_text

#: Documents written in one transaction, and of these as many as a crawl would give to the store at once.
BATCH, EXPECTED = 200, 64
Thing = TypeVar("Thing")
#: When documents were seen unless the caller says so: undated ones must not pass for the earliest.
UNDATED = datetime(2100, 1, 1, tzinfo=UTC)
#: Longer texts are cut: a megabyte of one page is no article.
MAX_CHARACTERS = 200_000
_ARTICLE = table_of(Article)


def group_documents(engine: Engine, documents: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Group all documents and yield {"id", "story", "relation", "of", "score", "also"} of each, in the order given.

    Documents are {"id", "title", "text", "published_at", "publisher", "url"}; all but the id may be missing. Stories are
    worked out when all documents are there, so that the order given plays no part. The engine's tables must exist and
    hold nothing of value. Raises KeyError for a document without id.
    """
    names: dict[int, Any] = {}
    for batch in _batches(documents, BATCH):
        with session_scope(engine) as session:
            names |= _insert(session, batch, UNDATED, len(names))
    fold(engine)
    ids = list(names)
    for start in range(0, len(ids), BATCH):
        with read_scope(engine) as session:
            yield from _lines(session, ids[start : start + BATCH], names)


def arrive(
    engine: Engine, documents: Iterable[dict[str, Any]], *, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Like `group_documents`, but let the documents come one after another, as a crawl does, and settle at the end."""
    moment, names = now or UNDATED, dict[int, Any]()
    for batch in _batches(documents, BATCH):
        with session_scope(engine) as session:
            names |= (ids := _insert(session, batch, moment, len(names)))
            for some in _batches(ids, EXPECTED):
                expect(session, articles := [session.get_one(Article, number) for number in some])
                for article in articles:
                    assign_story(session, article)
    settle_stories(engine, moment)
    with read_scope(engine) as session:
        return list(_lines(session, list(names), names))


def _insert(session: Session, documents: list[dict[str, Any]], now: datetime, serial: int) -> dict[int, Any]:
    """Add documents; return their ids by the numbers of the articles. Not through the ORM: nobody will search them."""
    rows = [_article(document, now, serial + place) for place, document in enumerate(documents)]
    added = insert(_ARTICLE).returning(_ARTICLE.c.id, sort_by_parameter_order=True)
    numbers = session.scalars(added, rows)
    return {number: document["id"] for number, document in zip(numbers, documents, strict=True)}


def _batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    batch: list[Thing] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _article(document: dict[str, Any], now: datetime, serial: int) -> dict[str, Any]:
    title = clean_line(str(document.get("title") or ""))[:2000]
    text = clean_text(str(document.get("text") or "")[:MAX_CHARACTERS])
    return {
        "url": str(document.get("url") or ""),
        "url_key": f"{serial}#{document['id']}",
        "checksum": hashlib.sha256(f"{title}\n{text}".encode("utf-8", "replace")).hexdigest(),
        "title": title,
        "text": text,
        "published_at": _moment(document.get("published_at")),
        "publisher": document.get("publisher"),
        "first_seen_at": now,
        "updated_at": now,
    }


def _moment(given: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lines(session: Session, ids: list[int], names: dict[int, Any]) -> Iterator[dict[str, Any]]:
    also: dict[int, list[int]] = {}
    for article_id, story in session.execute(
        select(StoryArticle.article_id, StoryArticle.story_id).where(StoryArticle.article_id.in_(ids))
    ):
        also.setdefault(article_id, []).append(story)
    columns = (
        Article.id,
        Article.story_id,
        Article.relation,
        Article.relation_of,
        Article.relation_score,
    )
    for row in session.execute(select(*columns).where(Article.id.in_(ids)).order_by(Article.id)):
        yield {
            "id": names[row.id],
            "story": row.story_id,
            "relation": row.relation,
            "of": names.get(row.relation_of),
            "score": round(row.relation_score or 0.0, 4),
            "also": sorted(also.get(row.id, ())),
        }
