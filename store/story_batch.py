"""What the articles of one transaction share on their way into stories: look-ups made for all of them, rows written together.

A statement for each row of each article takes longer than the rows do. Only the rows of an article that begins a story
wait: the story, the article's part in it, its leading text. They are written before anything else is asked of the session and
before it commits, so that but a few look-ups have to know of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.orm import ORMExecuteState, Session

from store.dedup.placement import Known
from store.dedup.same_story import Text

_BATCH = "story_batch"
Writer = Callable[[Connection, list[Any]], None]


@dataclass(slots=True)
class Batch:
    """What is known beside the database, until the transaction ends."""

    #: the lock of the stories was taken
    locked: bool = False
    #: rows that wait by what writes them, in the order in which they refer to each other
    rows: dict[Writer, list[Any]] = field(default_factory=dict)
    #: leading texts that were read, and those whose rows wait; until anything else is asked of the session
    leaders: dict[int, Known] = field(default_factory=dict)
    #: fingerprints of the articles to come, and the leading texts that hold them; with those whose rows wait
    expected: set[int] = field(default_factory=set)
    holders: dict[int, list[int]] = field(default_factory=dict)
    #: comparison forms of the articles to come
    forms: dict[int, Text] = field(default_factory=dict)
    checksums: dict[int, str] = field(default_factory=dict)
    #: the highest number of a story, once it was asked for
    last_story: int | None = None


def batch_of(session: Session) -> Batch:
    """Return what the session's transaction shares."""
    batch: Batch | None = session.info.get(_BATCH)
    if batch is None:
        batch = session.info[_BATCH] = Batch()
    return batch


def write_later(session: Session, write: Writer, row: Any, *, first: bool = False) -> None:
    """Let `row` wait; `write` is given all its rows at once. `first`: before those of other writers, which refer to it."""
    batch = batch_of(session)
    if first and write not in batch.rows:
        batch.rows = {write: []} | batch.rows
    batch.rows.setdefault(write, []).append(row)


def connect(session: Session) -> Connection:
    """Return the session's connection when nothing waits any more."""
    write_now(session)
    return session.connection()


def write_now(session: Session) -> None:
    """Write what waits."""
    batch: Batch | None = session.info.get(_BATCH)
    if batch is None:
        return
    batch.leaders.clear()
    if batch.rows:
        waiting, batch.rows = batch.rows, {}
        connection = session.connection()
        for write, rows in waiting.items():
            write(connection, rows)


def forget_lookups(session: Session) -> None:
    """Look up anew from now on: leading texts were taken out."""
    batch = batch_of(session)
    batch.expected.clear()
    batch.checksums.clear()


@event.listens_for(Session, "do_orm_execute")
def _before_statement(state: ORMExecuteState) -> None:
    write_now(state.session)


@event.listens_for(Session, "before_flush")
def _before_flush(session: Session, _context: object, _instances: object) -> None:
    write_now(session)


@event.listens_for(Session, "before_commit")
def _before_commit(session: Session) -> None:
    write_now(session)
    session.info.pop(_BATCH, None)


@event.listens_for(Session, "after_rollback")
def _after_rollback(session: Session) -> None:
    session.info.pop(_BATCH, None)
