"""Which articles came before their place in the order of all: what follows them may have to be placed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, time

from sqlalchemy import ColumnElement, func, insert, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.dedup.same_story import Text
from store.models import Article, Base, Key
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


def unsettled(session: Session) -> int:
    """Return how many articles wait for `settle_stories`."""
    return session.scalar(select(func.count()).select_from(_UNSETTLED)) or 0


def mark(session: Session, article_ids: Iterable[int]) -> None:
    """Note that stories around these articles are to be worked out again."""
    wanted = sorted(set(article_ids))
    there = set(session.scalars(select(_UNSETTLED.c.article_id).where(_UNSETTLED.c.article_id.in_(wanted))))
    if news := [{"article_id": number} for number in wanted if number not in there]:
        session.execute(insert(_UNSETTLED), news)


def comes_early(session: Session, article: Article, text: Text, stories: Collection[int]) -> bool:
    """Tell whether an article of `stories` has its place after `article`, so that it was placed too soon."""
    if not stories:
        return False
    day, own = _ARTICLE.c.published_at, article.published_at
    later: ColumnElement[bool] = day.is_(None)
    if own is not None:
        later = or_(later, day >= datetime.combine(own.astimezone(UTC), time(), UTC))
    rows = session.execute(
        select(_ARTICLE.c.title, _ARTICLE.c.text, _ARTICLE.c.url, day)
        .where(_ARTICLE.c.story_id.in_(stories), _ARTICLE.c.id != article.id, later)
        .limit(SAME_DAY)
    ).all()
    if not rows or len(rows) == SAME_DAY:
        return bool(rows)
    mine = rank(text, article.url, own)
    return any(rank(Text(row.title, row.text), row.url, row.published_at) > mine for row in rows)
