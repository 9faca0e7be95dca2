"""Working all stories out again, in steps that may be interrupted; what persons decided and what went out stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, Integer, delete, exists, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import story_index as index
from store import story_records as records
from store.database import session_scope
from store.models import Article, Base, Key, Story, StoryArticle, StoryOverride
from store.story_assign import choose_story, settle
from store.story_order import waiting
from store.story_records import table_of

#: Articles placed in one transaction: other writers wait less than a second.
BATCH = 200


class StoryBefore(Base):
    """Which story an article had when a rebuild began; empty between rebuilds."""

    __tablename__ = "story_before"
    article_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    story_id: Mapped[int] = mapped_column(Integer, index=True)


_ARTICLE, _STORY, _BEFORE = table_of(Article), table_of(Story), table_of(StoryBefore)


@dataclass(slots=True, frozen=True)
class Rebuilt:
    """What a rebuild did: articles placed, stories there are now, stories that went into others."""

    articles: int
    stories: int
    emptied: int

    def __str__(self) -> str:
        """Return one line for a terminal."""
        return f"{self.articles} articles in {self.stories} stories; {self.emptied} former stories went into others"


def rebuild(engine: Engine, now: datetime) -> Rebuilt:
    """Work out every story from the articles, in an order of their own: when they came plays no part.

    Stories keep their numbers where their first article does.
    Merges and splits by hand and stories of past issues survive. An interrupted rebuild is taken up where it stopped.
    """
    with session_scope(engine) as session:
        records.lock(session)
        if session.scalar(select(func.count()).select_from(_BEFORE)) == 0:
            _begin(session)
    with session_scope(engine) as session:
        ids = waiting(session)
    placed = 0
    for start in range(0, len(ids), BATCH):
        with session_scope(engine) as session:
            placed += _place_batch(session, ids[start : start + BATCH], now)
    with session_scope(engine) as session:
        return _finish(session, placed)


def _begin(session: Session) -> None:
    had = select(_ARTICLE.c.id, _ARTICLE.c.story_id).where(_ARTICLE.c.story_id.is_not(None))
    session.execute(insert(_BEFORE).from_select(["article_id", "story_id"], had))
    nothing = {"story_id": None, "relation": None, "relation_of": None, "relation_score": None}
    session.execute(update(_ARTICLE).values(nothing))
    session.execute(update(_STORY).values(article_count=0, representative_id=None, follow_up_of=None))
    session.execute(delete(table_of(StoryArticle)))
    index.clear(session)


def _place_batch(session: Session, ids: list[int], now: datetime) -> int:
    """Place those of the articles that are still there and without a story; return how many."""
    records.lock(session)
    still = select(Article).where(Article.story_id.is_(None), Article.id.in_(ids))
    articles = {article.id: article for article in session.scalars(still)}
    rows = session.execute(
        select(_BEFORE.c.article_id, _BEFORE.c.story_id).where(_BEFORE.c.article_id.in_(ids))
    )
    homes = {row.article_id: row.story_id for row in rows}
    decided = _decided(session)
    for article_id in ids:
        if article_id not in articles:
            continue
        home = homes.get(article_id)
        free = home is not None and records.article_count(session, home) == 0
        choose_story(
            session,
            articles[article_id],
            now=now,
            overridden=article_id in decided,
            home=home if free else None,
        )
    return len(articles)


def _decided(session: Session) -> set[int]:
    rows = session.execute(select(StoryOverride.article_id, StoryOverride.other_id))
    return {article_id for row in rows for article_id in row}


def _finish(session: Session, placed: int) -> Rebuilt:
    records.lock(session)
    empty = session.scalars(
        select(_STORY.c.id)
        .where(_STORY.c.article_count == 0, exists().where(_BEFORE.c.story_id == _STORY.c.id))
        .order_by(_STORY.c.id)
    ).all()
    for story in empty:
        _forward(session, story)
    session.execute(delete(_BEFORE))
    stories = session.scalar(select(func.count()).where(_STORY.c.article_count > 0)) or 0
    return Rebuilt(placed, stories, len(empty))


def _forward(session: Session, story: int) -> None:
    """Say where the articles of an emptied story went; a story of an issue takes their place instead."""
    target = session.scalar(
        select(_ARTICLE.c.story_id)
        .join(_BEFORE, _BEFORE.c.article_id == _ARTICLE.c.id)
        .where(_BEFORE.c.story_id == story, _ARTICLE.c.story_id.is_not(None))
        .order_by(_ARTICLE.c.id)
        .limit(1)
    )
    if target is None or target == story:
        return
    if records.in_issue(session, story) and not records.in_issue(session, target):
        records.set_story(session, story, merged_into=None)
        records.move_articles(session, target, story)
        settle(session, story)
    else:
        records.set_story(session, story, merged_into=target)
