"""All stories worked out anew in a database of its own, beside the one that is read and written meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    event,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from store import story_records as records
from store.database import make_engine, session_scope, snapshot
from store.models import (
    Article,
    ArticleTag,
    Base,
    Edit,
    IssueStory,
    Story,
    StoryArticle,
    StoryOverride,
)
from store.story_assign import settle
from store.story_fold import Facts, fold
from store.story_index import StoryFingerprint, StoryText
from store.story_records import table_of
from store.story_window import CHUNK, chunks

#: Stories begun in the scratch database are numbered from here on: numbers the store may give out meanwhile stay free.
NEW = 1 << 40
#: Which story an article had when it was copied.
BEFORE = Table(
    "before",
    MetaData(),
    Column("article_id", Integer, primary_key=True),
    Column("story_id", Integer, index=True),
)
_TABLES = [
    table_of(model)
    for model in (Article, ArticleTag, Edit, IssueStory, Story, StoryArticle, StoryOverride, StoryText, StoryFingerprint)
]  # fmt: skip
_ARTICLE, _TAG, _STORY, _TOLD, _OVERRIDE = (
    table_of(model) for model in (Article, ArticleTag, Story, IssueStory, StoryOverride)
)
#: Columns that stories are worked out from, and the one that names the story; the others get the least that their tables allow.
_COPIED: dict[Table, tuple[list[Any], Column[Any], dict[str, object]]] = {
    _ARTICLE: (
        [_ARTICLE.c[name] for name in ("id", "url", "checksum", "title", "text", "publisher", "published_at",
                                       "first_seen_at", "updated_at", "story_id")],
        _ARTICLE.c.story_id,
        {"version": 1, "images": [], "flags": [], "confidence": 1.0, "relevant": False, "borderline": False,
         "score": 0.0, "classification": {}},
    ),
    _STORY: (
        [_STORY.c[name] for name in ("id", "title", "first_seen_at", "last_seen_at", "merged_into")],
        _STORY.c.id,
        {"article_count": 0, "relevant": False, "score": 0.0},
    ),
    _TOLD: (
        [_TOLD.c[name] for name in ("id", "issue_id", "story_id", "section", "rank")],
        _TOLD.c.story_id,
        {"in_full": True, "weight": 0.0, "content": {}},
    ),
}  # fmt: skip


@contextmanager
def scratch_database() -> Iterator[Engine]:
    """An empty database in a folder for temporary files, as large as all texts; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parknews-") as folder:
        engine = make_engine(f"sqlite:///{folder}/stories.db")
        event.listen(engine, "connect", _hurry)
        with engine.begin() as connection:
            Base.metadata.create_all(connection, tables=_TABLES)
            BEFORE.create(connection)
            for index in (index for table in _TABLES for index in table.indexes):
                if index.columns.keys() not in (["story_id"], ["article_id"]):
                    index.drop(connection)
        try:
            yield engine
        finally:
            engine.dispose()


def _hurry(connection: Any, _record: object) -> None:
    """Nothing here outlives the process, so nothing waits for the disk; tables referred to may be missing."""
    for pragma in ("foreign_keys=OFF", "journal_mode=MEMORY", "synchronous=OFF", "cache_size=-32000"):
        connection.execute(f"PRAGMA {pragma}").close()


def work_out(
    engine: Engine, scratch: Engine, now: datetime, stories: list[int] | None = None
) -> tuple[int, int]:
    """Copy what stories follow from into `scratch` and work them out there; return how many articles there are, and how
    many stories went into others. `stories` are those wanted, with all that hangs on them; None for all.

    Stories keep their numbers where their first article does; those of issues and what persons decided stay.
    """
    with snapshot(engine) as there, scratch.begin() as here:
        for table, (columns, key, constants) in _COPIED.items():
            _copy(here, table, _rows(there, select(*columns), table, key, stories), constants)
        _copy(here, _OVERRIDE, _rows(there, select(_OVERRIDE), _OVERRIDE, _OVERRIDE.c.article_id, None), {})
        _copy_zones(there, here, stories)
        here.execute(
            insert(_STORY),
            {"id": NEW, "title": "", "first_seen_at": now, "last_seen_at": now, "article_count": 0},
        )
    placed = fold(scratch, _facts)
    with session_scope(scratch) as session:
        return placed, _forward_emptied(session)


def _rows(
    there: Connection, query: Select[Any], table: Table, key: Column[Any], stories: list[int] | None
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows of `table` in lists: all, or those whose `key` is one of `stories` or empty."""
    if stories is None:
        last = 0
        while rows := there.execute(
            query.where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
        ).mappings().all():  # fmt: skip
            yield [dict(row) for row in rows]
            last = rows[-1]["id"]
        return
    for chosen in (*(key.in_(some) for some in chunks(stories)), key.is_(None)):
        if rows := there.execute(query.where(chosen).order_by(table.c.id)).mappings().all():
            yield [dict(row) for row in rows]


def _copy(
    here: Connection, table: Table, rows: Iterator[list[dict[str, Any]]], constants: dict[str, object]
) -> None:
    for some in rows:
        if table is _ARTICLE:
            homes = [{"article_id": row["id"], "story_id": row.pop("story_id")} for row in some]
            here.execute(insert(BEFORE), homes)
            for row in some:
                row["url_key"] = str(row["id"])
        here.execute(insert(table), [row | constants for row in some])


def _copy_zones(there: Connection, here: Connection, stories: list[int] | None) -> None:
    """Zones that a copy borrowed from a twin are left out: they follow from the stories."""
    columns = (_TAG.c.id, _TAG.c.article_id, _TAG.c.kind, _TAG.c.name, literal("").label("field"),
               literal(0).label("start"), literal(0).label("end"), literal("").label("text"))  # fmt: skip
    query = select(*columns).where(_TAG.c.kind == "zone", _TAG.c.field != "twin")
    if stories is not None:
        query = query.join(_ARTICLE, _ARTICLE.c.id == _TAG.c.article_id)
    _copy(here, _TAG, _rows(there, query, _TAG, _ARTICLE.c.story_id, stories), {})


def _facts(session: Session, ids: Sequence[int]) -> Facts:
    rows = session.execute(select(BEFORE).where(BEFORE.c.article_id.in_(ids)))
    zones: dict[int, list[str]] = {}
    for article_id, name in session.execute(
        select(_TAG.c.article_id, _TAG.c.name).where(_TAG.c.article_id.in_(ids)).order_by(_TAG.c.id)
    ):
        zones.setdefault(article_id, []).append(name)
    decided = session.execute(select(_OVERRIDE.c.article_id, _OVERRIDE.c.other_id))
    return Facts(
        {row.article_id: row.story_id for row in rows if row.story_id is not None},
        zones,
        frozenset(number for pair in decided for number in pair),
    )


def _forward_emptied(session: Session) -> int:
    """Say of every story that is empty now where its articles went; return how many there are."""
    had = exists().where(BEFORE.c.story_id == _STORY.c.id)
    empty = session.scalars(select(_STORY.c.id).where(_STORY.c.article_count == 0, had).order_by(_STORY.c.id))
    told = set(session.scalars(select(_TOLD.c.story_id)))
    # Those of issues first: they take the place of others, whose numbers nothing must lead to afterwards.
    for story in sorted(empty.all(), key=lambda number: number not in told):
        _forward(session, story, told)
    return session.scalar(select(func.count()).where(_STORY.c.article_count == 0, had)) or 0


def _forward(session: Session, story: int, told: set[int]) -> None:
    """A story of an issue takes the place of the one that its articles went to."""
    target = session.scalar(
        select(_ARTICLE.c.story_id)
        .join(BEFORE, BEFORE.c.article_id == _ARTICLE.c.id)
        .where(BEFORE.c.story_id == story)
        .order_by(_ARTICLE.c.id)
        .limit(1)
    )
    if target is None or target == story:
        return
    if story in told and target not in told:
        records.set_story(session, story, merged_into=None)
        records.move_articles(session, target, story)
        settle(session, story)
    else:
        records.set_story(session, story, merged_into=target)
