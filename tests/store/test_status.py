from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from store.alerts import raise_alert
from store.database import read_scope, session_scope
from store.editors import (
    EditorError,
    add_editor,
    begin_attempt,
    editor_of,
    end_session,
    is_password,
    list_editors,
    may_try,
    password_hash_of,
    remove_editor,
    settle_attempt,
)
from store.issues import count_candidates
from store.leases import acquire
from store.models import Article, Crawl, Source
from store.status import MOST_TROUBLED, answers, source_counts, status_of, visits_of

PASSWORD = "correct horse battery"


def test_everything_is_counted_and_unknown_words_too(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    assert answers(session)
    empty = status_of(session, now)
    assert (empty.daemon, empty.issue_age_seconds, empty.sources["up"], empty.alerts) == (None, None, 0, [])
    session.add_all(
        [
            Source(name="b", kind="rss", state="down", first_seen_at=now),
            Source(name="a", kind="rss", state="late", first_seen_at=now),
            Source(name="c", kind="rss", state="odd", first_seen_at=now),
            make_article(relevant=True),
        ]
    )
    session.flush()
    session.add(Crawl(source_id=1, started_at=now - timedelta(hours=1), outcome="ok"))
    session.add(Crawl(source_id=1, started_at=now - timedelta(days=2), outcome="ok"))
    raise_alert(session, "kind", "subject", "detail", now)
    acquire(session, "daemon", "me", now, 45)
    found = status_of(session, now)
    assert (found.daemon, found.crawls["ok"], found.sources["odd"], len(found.alerts)) == ("me", 1, 1, 1)
    assert [source.name for source in found.troubled] == ["b", "a"]
    assert found.counts.relevant == 1


def test_counting_reads_no_texts_and_no_visits_that_do_not_matter(
    sqlite_engine: Engine, now: datetime
) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    with read_scope(sqlite_engine) as session:
        status_of(session, now)
        visits_of(session, now)
        count_candidates(session, now)
        statements = list(asked)
        plans = [
            str(row[-1])
            for statement, parameters in statements
            if statement.startswith("SELECT")
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    tables = [plan for plan in plans if plan.startswith(("SCAN article", "SCAN crawl"))]
    assert tables == ["SCAN article USING COVERING INDEX ix_article_counted", "SCAN crawl"]
    assert "SEARCH crawl USING COVERING INDEX ix_crawl_with_news (source_id=? AND started_at>?)" in plans


def test_the_sources_in_trouble_that_are_not_listed_are_counted(session: Session, now: datetime) -> None:
    session.add_all(
        Source(name=f"{n:03}", kind="rss", state="down", first_seen_at=now) for n in range(MOST_TROUBLED + 3)
    )
    session.flush()
    found = status_of(session, now)
    assert (len(found.troubled), found.more_troubled) == (MOST_TROUBLED, 3)
    assert source_counts(session)["down"] == MOST_TROUBLED + 3


def test_an_account_lives_from_its_making_to_its_removal(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        add_editor(session, "王编辑", PASSWORD, now, "test")
        with pytest.raises(EditorError, match="already"):
            add_editor(session, "王编辑", PASSWORD, now, "test")
    with session_scope(engine) as session:
        number = begin_attempt(session, "王编辑", "192.0.2.1", now)
    with session_scope(engine) as session:
        assert may_try(session, number, now)
        kept = password_hash_of(session, "王编辑")
        assert kept
        assert is_password(PASSWORD, kept)
        assert not is_password(PASSWORD + "x", kept)
        assert not is_password(PASSWORD, None)
        key = settle_attempt(session, number, right=True, now=now)
        assert key
    with session_scope(engine) as session:
        assert editor_of(session, key, now) == "王编辑"
        assert editor_of(session, key, now + timedelta(hours=13)) is None
        assert editor_of(session, key[:-1], now) is None
        end_session(session, key)
        assert editor_of(session, key, now) is None
        remove_editor(session, "王编辑", now, "test")
        assert list_editors(session) == []
        with pytest.raises(EditorError, match="no editor"):
            remove_editor(session, "王编辑", now, "test")


def test_what_is_tried_on_an_account_that_went_meanwhile_opens_nothing(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        number = begin_attempt(session, "gone", "192.0.2.1", now)
        assert settle_attempt(session, number, right=True, now=now) is None
