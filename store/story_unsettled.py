"""Which articles came before their place in the order of all: what follows them may have to be placed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time

from sqlalchemy import Connection, bindparam, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import story_index as index
from store.database import among
from store.dedup.placement import Known
from store.dedup.same_story import Text
from store.models import Article, Base, Key
from store.story_batch import connect, write_later
from store.story_order import rank
from store.story_records import table_of

#: So many articles of the same day and of later ones are ranked; where there are more, one of them is taken to come later.
SAME_DAY = 12


#: Stands in the table instead of what waited when a rebuild began, until it ends: after an interruption all waits again.
UNDER_WAY = 0


class StoryUnsettled(Base):
    """An article that others may depend on, or UNDER_WAY; empty when every story is as a rebuild would make it."""

    __tablename__ = "story_unsettled"
    article_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)


_ARTICLE, _UNSETTLED = table_of(Article), table_of(StoryUnsettled)
_MARK = text("INSERT INTO story_unsettled (article_id) VALUES (:number) ON CONFLICT DO NOTHING")
_OTHERS = (
    select(_ARTICLE.c.id, _ARTICLE.c.published_at)
    .where(among(_ARTICLE.c.story_id, "stories"), _ARTICLE.c.id != bindparam("article"))
    .limit(SAME_DAY)
)
_UNDATED = _OTHERS.where(_ARTICLE.c.published_at.is_(None))
_LATER = _OTHERS.where(
    or_(
        _ARTICLE.c.published_at.is_(None),
        _ARTICLE.c.published_at >= bindparam("day", type_=_ARTICLE.c.published_at.type),
    )
)


def unsettled(session: Session) -> int:
    """Return how many articles wait for `settle_stories`."""
    return session.scalar(select(func.count()).select_from(_UNSETTLED)) or 0


def mark(session: Session, article_ids: Iterable[int]) -> None:
    """Note that stories around these articles are to be worked out again."""
    for number in sorted(set(article_ids)):
        write_later(session, _insert, {"number": number})


def _insert(connection: Connection, rows: list[dict[str, int]]) -> None:
    connection.execute(_MARK, rows)


def comes_early(session: Session, article: Article, form: Text, near: Collection[Known]) -> bool:
    """Tell whether an article of the stories of `near` has its place after `article`, so that it was placed too soon."""
    if not near:
        return False
    day = None
    if article.published_at is not None:
        day = datetime.combine(article.published_at.astimezone(UTC), time(), UTC)
    alone = {known.article_id: known.published if known.dated else None for known in near if known.alone}
    rows = [(number, date) for number, date in alone.items() if date is None or (day and date >= day)]
    if stories := {known.story_id for known in near if not known.alone}:
        given: dict[str, object] = {"stories": list(stories), "article": article.id}
        if day:
            given["day"] = day
        found = connect(session).execute(_LATER if day else _UNDATED, given)
        rows += [(number, date) for number, date in found]
    if not rows or len(rows) >= SAME_DAY:
        return bool(rows)
    mine = rank(form, article.url, article.published_at)
    there = {known.article_id: known for known in near}
    others = ((there.get(number) or index.one_member(session, number), date) for number, date in rows)
    return any(other is not None and rank(other.text, other.url, date) > mine for other, date in others)
