"""Grouping documents that are not in the store, through the very code and tables the store uses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.database import session_scope
from store.models import Article, StoryArticle
from store.story_assign import assign_story
from store.text import clean_line, clean_text

#: Documents written in one transaction.
BATCH = 200
#: When documents were seen unless the caller says so: undated ones must not pass for the earliest.
UNDATED = datetime(2100, 1, 1, tzinfo=UTC)
#: Longer texts are cut: a megabyte of one page is no article.
MAX_CHARACTERS = 200_000


def group_documents(
    engine: Engine, documents: Iterable[dict[str, Any]], *, now: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Give each document its story, in order of arrival, and yield {"id", "story", "relation", "of", "score", "also"}.

    Documents are {"id", "title", "text", "published_at", "publisher", "url"}; all but the id may be missing. A later line
    for the same id replaces the earlier one: a late original re-labels its copies. The engine's tables must exist and
    hold nothing of value. Raises KeyError for a document without id.
    """
    moment = now or UNDATED
    names: dict[int, Any] = {}
    told: dict[int, tuple[Any, ...]] = {}
    for batch in _batches(documents, BATCH):
        with session_scope(engine) as session:
            articles = [
                _article(document, moment, len(names) + place) for place, document in enumerate(batch)
            ]
            session.add_all(articles)
            session.flush()
            names |= {article.id: document["id"] for article, document in zip(articles, batch, strict=True)}
            lines = list(_assign_all(session, articles, moment, names, told))
        yield from lines


def _batches(documents: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for document in documents:
        batch.append(document)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _article(document: dict[str, Any], now: datetime, serial: int) -> Article:
    title = clean_line(str(document.get("title") or ""))[:2000]
    text = clean_text(str(document.get("text") or "")[:MAX_CHARACTERS])
    return Article(
        url=str(document.get("url") or ""),
        url_key=f"{serial}#{document['id']}",
        checksum=hashlib.sha256(f"{title}\n{text}".encode("utf-8", "replace")).hexdigest(),
        title=title,
        text=text,
        published_at=_moment(document.get("published_at")),
        publisher=document.get("publisher"),
        first_seen_at=now,
        updated_at=now,
    )


def _moment(given: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _assign_all(
    session: Session,
    articles: list[Article],
    now: datetime,
    names: dict[int, Any],
    told: dict[int, tuple[Any, ...]],
) -> Iterator[dict[str, Any]]:
    touched: dict[int, None] = {}
    for article in articles:
        assignment = assign_story(session, article, now=now)
        touched[article.id] = None
        touched.update(dict.fromkeys(assignment.changed))
        session.expunge(article)
    yield from _lines(session, list(touched), names, told)


def _lines(
    session: Session, ids: list[int], names: dict[int, Any], told: dict[int, tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        also: dict[int, list[int]] = {}
        for article_id, story in session.execute(
            select(StoryArticle.article_id, StoryArticle.story_id).where(StoryArticle.article_id.in_(part))
        ):
            also.setdefault(article_id, []).append(story)
        columns = (
            Article.id,
            Article.story_id,
            Article.relation,
            Article.relation_of,
            Article.relation_score,
        )
        rows = {row.id: row for row in session.execute(select(*columns).where(Article.id.in_(part)))}
        for article_id in part:
            row = rows[article_id]
            state = (row.story_id, row.relation, row.relation_of, tuple(sorted(also.get(article_id, ()))))
            if told.get(article_id) != state:
                told[article_id] = state
                yield {
                    "id": names[article_id],
                    "story": row.story_id,
                    "relation": row.relation,
                    "of": names.get(row.relation_of),
                    "score": round(row.relation_score or 0.0, 4),
                    "also": list(state[3]),
                }
