"""Which stories an article that came early can touch: those of its days and later ones, and what hangs on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, select

from store.models import Article, Story, StoryArticle, StoryOverride
from store.story_records import table_of
from store.story_unsettled import UNDER_WAY, StoryUnsettled

#: Days before the earliest unsettled article whose stories are worked out with it. The order begins with the day, so
#: earlier articles keep their place; their texts are wanted as neighbours, and copies come within days.
MARGIN = timedelta(days=31)
#: Numbers in one query.
CHUNK = 500
_ARTICLE, _STORY, _LINK, _OVERRIDE, _UNSETTLED = (
    table_of(model) for model in (Article, Story, StoryArticle, StoryOverride, StoryUnsettled)
)
_OTHER = _ARTICLE.alias("other")
Among = Callable[[list[int]], Select[Any]]
#: Stories that hang on some others: by pages that hold several, succession, and what persons decided.
_TIES: tuple[Among, ...] = (
    lambda some: select(_LINK.c.story_id)
    .join(_ARTICLE, _ARTICLE.c.id == _LINK.c.article_id)
    .where(_ARTICLE.c.story_id.in_(some)),
    lambda some: select(_ARTICLE.c.story_id)
    .join(_LINK, _ARTICLE.c.id == _LINK.c.article_id)
    .where(_LINK.c.story_id.in_(some)),
    lambda some: select(_STORY.c.follow_up_of).where(_STORY.c.id.in_(some)),
    lambda some: select(_STORY.c.id).where(_STORY.c.follow_up_of.in_(some)),
    lambda some: _decided(_OVERRIDE.c.article_id, _OVERRIDE.c.other_id, some),
    lambda some: _decided(_OVERRIDE.c.other_id, _OVERRIDE.c.article_id, some),
)  # fmt: skip


def _decided(mine: Any, other: Any, some: list[int]) -> Select[Any]:
    return (
        select(_OTHER.c.story_id)
        .join(_OVERRIDE, other == _OTHER.c.id)
        .join(_ARTICLE, mine == _ARTICLE.c.id)
        .where(_ARTICLE.c.story_id.in_(some))
    )


def stories_to_settle(connection: Connection) -> list[int] | None:
    """Return the stories that have to be worked out together because of the unsettled articles, in order.

    None for all: after an interruption nobody knows what waited.
    """
    day = func.coalesce(_ARTICLE.c.published_at, _ARTICLE.c.first_seen_at)
    waiting = select(func.min(day, type_=_ARTICLE.c.first_seen_at.type)).join(
        _UNSETTLED, _UNSETTLED.c.article_id == _ARTICLE.c.id
    )
    interrupted = select(_UNSETTLED).where(_UNSETTLED.c.article_id == UNDER_WAY)
    earliest = connection.scalar(waiting)
    if earliest is None or connection.execute(interrupted).first() is not None:
        return None
    return sorted(_closed(connection, _since(connection, earliest - MARGIN)))


def _since(connection: Connection, begin: datetime) -> set[int]:
    mine = select(_ARTICLE.c.story_id).where(_ARTICLE.c.story_id.is_not(None)).distinct()
    dated = mine.where(_ARTICLE.c.published_at >= begin)
    undated = mine.where(_ARTICLE.c.published_at.is_(None), _ARTICLE.c.first_seen_at >= begin)
    return {*connection.scalars(dated), *connection.scalars(undated)}


def _closed(connection: Connection, stories: set[int]) -> set[int]:
    """Return `stories` and all that hangs on them, on these, and so on."""
    fresh: Collection[int] = stories
    while fresh:
        found: set[int] = set()
        for some in chunks(sorted(fresh)):
            for tie in _TIES:
                found.update(number for number in connection.scalars(tie(some)) if number is not None)
        fresh = found - stories
        stories = stories | fresh
    return stories


def chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield the numbers in lists that one query can name."""
    numbers = list(numbers)
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]
