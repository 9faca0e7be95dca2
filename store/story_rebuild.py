"""Working all stories out again; what persons decided and what went out stays."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from store import story_records as records
from store.database import read_scope, session_scope
from store.models import Story
from store.story_batch import connect
from store.story_differences import take_over
from store.story_records import table_of
from store.story_scratch import scratch_database, work_out
from store.story_unsettled import UNDER_WAY, StoryUnsettled, mark, unsettled
from store.story_window import stories_to_settle

logger = logging.getLogger(__name__)
_STORY, _UNSETTLED = table_of(Story), table_of(StoryUnsettled)


@dataclass(slots=True, frozen=True)
class Rebuilt:
    """What a rebuild or settling did: articles placed anew, stories there are now, former ones that went into others, articles whose part
    in stories changed, groups of stories left for the next time because somebody changed them meanwhile.
    """

    articles: int
    stories: int
    emptied: int
    changed: int
    left: int

    def __str__(self) -> str:
        """Return one line for a terminal."""
        line = f"{self.articles} articles in {self.stories} stories; {self.emptied} former stories went into others; {self.changed} articles changed"
        return (
            f"{line}; {self.left} groups got news meanwhile and wait for the next time" if self.left else line
        )


def settle_stories(engine: Engine, now: datetime) -> Rebuilt | None:
    """Work out again the stories of the days from which on an article came before its place in the order of all.

    Return None when every story is as it should be; also, with a line in the log, when there is no room to work in:
    stories that wait keep nothing else waiting.
    """
    with read_scope(engine) as session:
        if not unsettled(session):
            return None
    try:
        return _work_out_again(engine, now, everything=False)
    except (OSError, SQLAlchemyError) as error:
        logger.warning("stories could not be settled, they stay as they are: %s", error)
        return None


def rebuild(engine: Engine, now: datetime) -> Rebuilt:
    """Work out every story from the articles, in an order of their own: when they came plays no part.

    It is done beside the store, which others read and write meanwhile, and then taken over in small steps. Stories keep
    their numbers where their first article does. Merges and splits by hand and stories of past issues survive. After
    an interruption the stories are whole, in part as before, and `settle_stories` begins anew.
    """
    return _work_out_again(engine, now, everything=True)


def _work_out_again(engine: Engine, now: datetime, *, everything: bool) -> Rebuilt:
    with session_scope(engine) as session:
        records.lock(session)
        stories = None if everything else stories_to_settle(connect(session))
        session.execute(delete(_UNSETTLED))
        mark(session, [UNDER_WAY])
    with scratch_database() as scratch:
        placed, emptied = work_out(engine, scratch, now, stories)
        changed, left = take_over(engine, scratch)
    with session_scope(engine) as session:
        session.execute(delete(_UNSETTLED).where(_UNSETTLED.c.article_id == UNDER_WAY))
        mark(session, left)
        count = session.scalar(select(func.count()).where(_STORY.c.article_count > 0)) or 0
    return Rebuilt(placed, count, emptied, changed, len(left))
