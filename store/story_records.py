"""Reading and writing the rows of stories and of the story columns of articles; no decisions here.

Plain statements instead of loaded objects: an article that joins a story costs five of them, and the ORM's bookkeeping would
double the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Float,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from store.database import UtcDateTime, among, be_alone
from store.models import Article, Base, Edit, IssueStory, Story, StoryArticle, StoryOverride
from store.story_batch import batch_of, connect, write_later

#: Held on PostgreSQL while stories are chosen or changed.
_LOCK = 0x73746F72


def table_of(model: type[Base]) -> Table:
    """Return the table of a model."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


_S, _A, _EDIT, _LINK = (table_of(model) for model in (Story, Article, Edit, StoryArticle))
_seen = bindparam("seen", type_=UtcDateTime())
_published = bindparam("published", type_=UtcDateTime())
_score = bindparam("new_score", type_=Float())
_relevant = bindparam("new_relevant", type_=Boolean())
_JOIN = (
    update(_S)
    .where(_S.c.id == bindparam("story"))
    .values(
        article_count=_S.c.article_count + 1,
        first_seen_at=case((_S.c.first_seen_at > _seen, _seen), else_=_S.c.first_seen_at),
        last_seen_at=case((_S.c.last_seen_at < _seen, _seen), else_=_S.c.last_seen_at),
        first_published_at=func.coalesce(
            case((_S.c.first_published_at > _published, _published), else_=_S.c.first_published_at),
            _published,
        ),
        score=case((_S.c.score < _score, _score), else_=_S.c.score),
        relevant=or_(_S.c.relevant, _relevant),
    )
    .returning(_S.c.representative_id)
)
_PUT = (
    update(_A)
    .where(_A.c.id == bindparam("article"))
    .values(
        story_id=bindparam("story"),
        relation=bindparam("word"),
        relation_of=bindparam("of"),
        relation_score=bindparam("share"),
    )
)
_LINKED = select(_LINK.c.article_id).where(
    _LINK.c.story_id == bindparam("story"), among(_LINK.c.article_id, "ids")
)
_NEW = insert(_S)
_NUMBER = "SELECT nextval(pg_get_serial_sequence('story', 'id'))"


def lock(session: Session) -> None:
    """Make choosing stories exclusive until the transaction ends."""
    batch = batch_of(session)
    if not batch.locked:
        be_alone(session.connection(), _LOCK)
        batch.locked = True


def new_story(session: Session, article: Article, publisher: str | None, story_id: int | None = None) -> int:
    """Insert a story begun by `article` (or revive the emptied story `story_id`) and return its id. The article is not put yet."""
    values = {
        "representative_id": article.id,
        "title": article.title,
        "first_publisher": publisher,
        "first_published_at": article.published_at,
        "first_seen_at": article.first_seen_at,
        "last_seen_at": article.first_seen_at,
        "relevant": bool(article.relevant),
        "score": article.score or 0.0,
        "article_count": 1,
    }
    if story_id is not None:
        set_story(session, story_id, **values, follow_up_of=None, merged_into=None)
        return story_id
    number = _next_number(session)
    write_later(session, _insert_stories, values | {"id": number}, first=True)
    return number


def _next_number(session: Session) -> int:
    """Return the number that the next story gets; nobody else begins one meanwhile."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return int(connection.exec_driver_sql(_NUMBER).scalar_one())
    batch = batch_of(session)
    if batch.last_story is None:
        batch.last_story = connection.exec_driver_sql("SELECT max(id) FROM story").scalar() or 0
    batch.last_story += 1
    return batch.last_story


def _insert_stories(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(_NEW, rows)


def join_story(session: Session, story_id: int, article: Article) -> int | None:
    """Count `article` into a story; return the story's representative."""
    given = {
        "story": story_id,
        "seen": article.first_seen_at,
        "published": article.published_at,
        "new_score": article.score or 0.0,
        "new_relevant": bool(article.relevant),
    }
    representative: int | None = connect(session).execute(_JOIN, given).scalar_one()
    return representative


def put_article(
    session: Session, article_id: int, story: int, word: str, of: int | None, share: float | None
) -> None:
    """Write the story columns of one article."""
    row = {"article": article_id, "story": story, "word": word, "of": of, "share": share}
    connect(session).execute(_PUT, row)


def put_first(session: Session, article_id: int, story: int) -> None:
    """Write the story columns of the article that begins a story."""
    row = {"article": article_id, "story": story, "word": "original", "of": None, "share": 1.0}
    write_later(session, _put_articles, row)


def _put_articles(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(_PUT, rows)


def set_story(session: Session, story_id: int, **values: object) -> None:
    """Write columns of one story."""
    session.execute(update(_S).where(_S.c.id == story_id).values(values))


def recount(session: Session, story_id: int) -> None:
    """Work out the counts, dates, score and relevance of a story from its articles."""
    row = session.execute(
        select(
            func.count(),
            func.min(_A.c.first_seen_at),
            func.max(_A.c.first_seen_at),
            func.min(_A.c.published_at),
            func.max(_A.c.score),
            func.max(case((_A.c.relevant, 1), else_=0)),
        ).where(_A.c.story_id == story_id)
    ).one()
    if not row[0]:
        set_story(session, story_id, article_count=0, representative_id=None)
        return
    set_story(
        session, story_id, article_count=row[0], first_seen_at=row[1], last_seen_at=row[2],
        first_published_at=row[3], score=row[4] or 0.0, relevant=bool(row[5]),
    )  # fmt: skip


def move_articles(session: Session, gone: int, keep: int) -> None:
    """Give all articles, links and edits of story `gone` to `keep` and leave a forwarding address."""
    session.execute(update(_A).where(_A.c.story_id == gone).values(story_id=keep))
    session.execute(update(_EDIT).where(_EDIT.c.story_id == gone).values(story_id=keep))
    pages = session.execute(
        delete(_LINK).where(_LINK.c.story_id == gone).returning(_LINK.c.article_id)
    ).scalars()
    own = select(_A.c.id, _A.c.story_id).where(_A.c.id.in_(list(pages)))
    link_pages(session, [(article_id, story) for article_id, story in session.execute(own)], keep)
    session.execute(update(_S).where(_S.c.follow_up_of == gone).values(follow_up_of=keep))
    set_story(session, keep, follow_up_of=case((_S.c.follow_up_of == keep, None), else_=_S.c.follow_up_of))
    set_story(session, gone, merged_into=keep, article_count=0, representative_id=None, follow_up_of=None)


def link_pages(session: Session, pages: Iterable[tuple[int, int]], story_id: int) -> list[int]:
    """Note that pages, given as (article, its own story), hold a further story; return those for which that is news."""
    others = [article_id for article_id, own in pages if own != story_id]
    if not others:
        return []
    connection = connect(session)
    there = set(connection.execute(_LINKED, {"story": story_id, "ids": others}).scalars())
    news = [article_id for article_id in dict.fromkeys(others) if article_id not in there]
    for article_id in news:
        row = {"story_id": story_id, "article_id": article_id, "relation": "contains"}
        connection.execute(insert(_LINK), row)
    return news


def pages_stories(session: Session, article_id: int) -> list[int]:
    """Return the further stories of a page."""
    return list(session.scalars(select(StoryArticle.story_id).where(StoryArticle.article_id == article_id)))


def story_of(session: Session, article_id: int) -> int | None:
    """Return the story an article has in the database now; on SQLite nobody else can have written, so None."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return None
    story: int | None = connection.execute(select(_A.c.story_id).where(_A.c.id == article_id)).scalar()
    return story


def article_count(session: Session, story_id: int) -> int:
    """Return how many articles a story has."""
    return session.scalar(select(_S.c.article_count).where(_S.c.id == story_id)) or 0


def in_issue(session: Session, story_id: int) -> bool:
    """Tell whether a story stood in an issue."""
    return session.scalar(select(IssueStory.id).where(IssueStory.story_id == story_id)) is not None


def split_from(session: Session, article_id: int) -> frozenset[int]:
    """Return the stories that a person took this article out of."""
    return frozenset(_stories_of_others(session, article_id, "split"))


def merged_with(session: Session, article_id: int) -> list[int]:
    """Return the stories that a person joined with this article's."""
    return _stories_of_others(session, article_id, "merge")


def _stories_of_others(session: Session, article_id: int, action: str) -> list[int]:
    rows = session.execute(
        select(StoryOverride.article_id, StoryOverride.other_id).where(
            StoryOverride.action == action,
            or_(StoryOverride.article_id == article_id, StoryOverride.other_id == article_id),
        )
    )
    others = {b if a == article_id else a for a, b in rows}
    if not others:
        return []
    found = session.scalars(select(_A.c.story_id).where(_A.c.id.in_(others), _A.c.story_id.is_not(None)))
    return sorted(set(found))


def kept_apart(session: Session, a: int, b: int) -> bool:
    """Tell whether a person split two stories that now stand against each other."""
    one, other = _A.alias(), _A.alias()
    pair = (
        select(StoryOverride.id)
        .join(one, one.c.id == StoryOverride.article_id)
        .join(other, other.c.id == StoryOverride.other_id)
        .where(
            StoryOverride.action == "split",
            or_(
                (one.c.story_id == a) & (other.c.story_id == b),
                (one.c.story_id == b) & (other.c.story_id == a),
            ),
        )
    )
    return session.scalar(pair.limit(1)) is not None


def is_overridden(session: Session, article_id: int) -> bool:
    """Tell whether a person decided about this article."""
    rows = select(StoryOverride.id).where(
        or_(StoryOverride.article_id == article_id, StoryOverride.other_id == article_id)
    )
    return session.scalar(rows.limit(1)) is not None


def add_override(
    session: Session, action: str, article_id: int, other_id: int, *, who: str, reason: str, now: datetime
) -> None:
    """Keep a person's decision."""
    session.add(
        StoryOverride(
            action=action, article_id=article_id, other_id=other_id, who=who, reason=reason, created_at=now
        )
    )
    session.flush()


def refresh_loaded(session: Session, article_ids: Iterable[int], story_ids: Iterable[int]) -> None:
    """Let objects already loaded in this session be read again: their rows were changed beside them."""
    for model, ids in ((Article, article_ids), (Story, story_ids)):
        for key in ids:
            loaded = session.identity_map.get(session.identity_key(model, key))
            if loaded is not None:
                session.expire(loaded)
