from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.database import session_scope
from store.issues import (
    Draft,
    DraftStory,
    candidates,
    count_candidates,
    editor_acts,
    freeze,
    issue_by_id,
    issue_by_number,
    last_issues,
    past_issues,
    source_looks,
)
from store.models import Article, ArticleTag, Crawl, Edit, Issue, IssueStory, Source, Story

MakeArticle = Callable[..., Article]


def story(session: Session, make_article: MakeArticle, seen: datetime, **given: Any) -> Story:
    made = Story(title="题", first_seen_at=seen, last_seen_at=seen, relevant=True)
    for key, value in given.items():
        setattr(made, key, value)
    session.add(made)
    session.flush()
    article = make_article(story_id=made.id, first_seen_at=seen, relevant=True)
    article.tags = [
        ArticleTag(
            kind="zone", name="合肥高新区", role="actor", field="text", start=0, end=5, text="合肥高新区"
        )
    ]
    session.add(article)
    session.flush()
    made.representative_id = article.id
    return made


def draft(number: int, now: datetime, *story_ids: int, edit_ids: tuple[int, ...] = ()) -> Draft:
    stories = [
        DraftStory(i, "org", rank, True, 1.0, {"title": f"第{i}号"}) for rank, i in enumerate(story_ids, 1)
    ]
    end = now + timedelta(days=7 * number)
    start = end - timedelta(days=7)
    return Draft(
        number, 2026, number, start, end, end, end, False, {"overview": "概述"}, stories, list(edit_ids)
    )


def test_candidates_are_relevant_untold_and_seen(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    wanted = story(session, make_article, now)
    story(session, make_article, now + timedelta(seconds=1))
    story(session, make_article, now, relevant=False)
    merged = story(session, make_article, now, merged_into=wanted.id)
    session.flush()
    found = candidates(session, now)
    assert [candidate.story_id for candidate in found] == [wanted.id]
    assert merged.id not in [candidate.story_id for candidate in found]
    assert found[0].copies[0].tags[0].name == "合肥高新区"


def test_candidates_are_counted_as_they_are_listed(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    rows = [story(session, make_article, now) for _ in range(9)]
    rows[0].relevant = False
    rows[1].relevant = False
    session.add(Edit(kind="include", story_id=rows[1].id, created_at=now))
    rows[2].merged_into = rows[3].id
    rows[4].first_seen_at = now + timedelta(hours=1)
    session.scalars(select(Article).where(Article.story_id == rows[5].id)).one().first_seen_at = (
        now + timedelta(1)
    )
    assert freeze(session, draft(1, now, rows[6].id, rows[7].id))
    rows[6].merged_into = rows[8].id
    session.flush()
    listed = [candidate.story_id for candidate in candidates(session, now)]
    assert listed == [rows[1].id, rows[3].id]
    assert count_candidates(session, now) == 2


def test_a_story_without_articles_cannot_be_told(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    lone = story(session, make_article, now)
    for article in session.scalars(select(Article)):
        article.story_id = None
    session.flush()
    assert lone.id
    assert candidates(session, now) == []


def test_the_representative_comes_first_and_copies_seen_later_are_left_out(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    one = story(session, make_article, now)
    first = one.representative_id
    better = make_article(story_id=one.id, first_seen_at=now, title="更好的一份")
    later = make_article(story_id=one.id, first_seen_at=now + timedelta(days=1))
    session.add_all([better, later])
    session.flush()
    one.representative_id = better.id
    session.flush()
    assert [copy.article_id for copy in candidates(session, now)[0].copies] == [better.id, first]


def test_a_frozen_story_is_told_and_so_is_what_it_is_merged_into(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    told, target, further = (story(session, make_article, now) for _ in range(3))
    assert freeze(session, draft(1, now, told.id))
    told.merged_into, target.merged_into = target.id, further.id
    session.flush()
    assert candidates(session, now) == []


def test_a_follow_up_knows_where_the_first_was_told(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    told = story(session, make_article, now)
    assert freeze(session, draft(1, now, told.id))
    story(session, make_article, now, follow_up_of=told.id)
    session.flush()
    earlier = candidates(session, now)[0].earlier
    assert earlier
    assert (earlier.story_id, earlier.number, earlier.title) == (told.id, 1, f"第{told.id}号")


def test_freezing_marks_the_acts_that_took_effect(session: Session, now: datetime) -> None:
    note = Edit(kind="note", value="按", created_at=now)
    drop = Edit(kind="drop", story_id=None, created_at=now)
    session.add_all([note, drop])
    session.flush()
    issue = freeze(session, draft(1, now, edit_ids=(note.id, drop.id)))
    assert issue
    session.expire_all()
    assert session.get_one(Edit, note.id).issue_id == issue.id
    assert [act.kind for act in editor_acts(session)] == ["drop"]


def test_undone_acts_have_no_effect(session: Session, now: datetime) -> None:
    session.add(Edit(kind="note", value="按", created_at=now, undone_at=now))
    session.flush()
    assert editor_acts(session) == []


@pytest.mark.parametrize("number", [1, 3])
def test_an_issue_out_of_turn_is_not_written(engine: Engine, now: datetime, number: int) -> None:
    with session_scope(engine) as session:
        assert freeze(session, draft(1, now))
    with session_scope(engine) as session:
        assert freeze(session, draft(number, now)) is None
    with session_scope(engine) as session:
        assert [issue.number for issue in past_issues(session, 9)] == [1]


def test_a_story_told_twice_is_refused_and_nothing_is_written(
    engine: Engine, make_article: MakeArticle, now: datetime
) -> None:
    with session_scope(engine) as session:
        one, other = story(session, make_article, now).id, story(session, make_article, now).id
        assert freeze(session, draft(1, now, one))
    with session_scope(engine) as session:
        assert freeze(session, draft(2, now, other, one)) is None
    with session_scope(engine) as session:
        assert session.scalars(select(IssueStory.story_id)).all() == [one]
        assert len(session.scalars(select(Issue.id)).all()) == 1


def test_issues_are_found_with_their_stories_after_the_session(
    engine: Engine, make_article: MakeArticle, now: datetime
) -> None:
    with session_scope(engine) as session:
        ids = [story(session, make_article, now).id for _ in range(3)]
        frozen = freeze(session, draft(1, now, *reversed(ids)))
        assert frozen
    with session_scope(engine) as session:
        found = [issue_by_number(session, 1), issue_by_id(session, frozen.id), last_issues(session, 5)[0]]
        assert issue_by_number(session, 2) is None
    for issue in found:
        assert issue
        assert [s.story_id for s in issue.stories] == list(reversed(ids))
        assert issue.content == {"overview": "概述"}


def test_looks_tell_how_a_sources_visits_ended(session: Session, now: datetime) -> None:
    sources = [
        Source(name=name, kind="rss", publisher=publisher, first_seen_at=now, enabled=name != "off")
        for name, publisher in (("a", "甲报"), ("b", None), ("off", "停用"))
    ]
    session.add_all(sources)
    session.flush()
    for source, outcome, ago in (
        (0, "ok", 1),
        (0, "failed", 1),
        (0, "ok", 30),
        (1, "failed", 2),
        (1, "interrupted", 1),
        (0, "running", 0),
    ):
        moment = now - timedelta(days=ago)
        reason = "timeout" if outcome == "failed" else None
        session.add(Crawl(source_id=sources[source].id, started_at=moment, outcome=outcome, reason=reason))
    session.flush()
    looks = source_looks(session, now - timedelta(days=7), now, ["合肥高新区"])
    assert [(look.publisher, look.looked, look.failed) for look in looks] == [("甲报", 1, 1), ("b", 0, 2)]


def test_many_candidates_are_read_in_batches(
    session: Session, make_article: MakeArticle, now: datetime
) -> None:
    for _ in range(1100):
        one = Story(title="题", first_seen_at=now, last_seen_at=now, relevant=True)
        session.add(one)
        session.flush()
        session.add(make_article(story_id=one.id))
    session.flush()
    assert len(candidates(session, now)) == 1100
