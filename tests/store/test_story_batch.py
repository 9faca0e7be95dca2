from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from store.database import session_scope
from store.models import Article, Story
from store.stories import assign_story, expect, reassign
from store.story_index import StoryText
from store.story_unsettled import StoryUnsettled

Make = Callable[..., Article]
SIGNS = "园区党建引领产业链上的支部活动企业服务职工培训科技创新项目攻关小组先锋岗联学共建网格走访夜校座谈"
FURNITURE = (
    "责任编辑与本网联系请注明出处未经授权不得转载本站所有内容均受保护欢迎通过电话或来信告诉我们您的意见"
)


def told(seed: int, length: int = 420) -> str:
    chance = random.Random(seed)
    return "".join(chance.choices(SIGNS, k=length))


def articles(make: Make, now: datetime) -> list[Article]:
    """Some dozens: originals, their copies before and after them, excerpts, one furniture on all, few of them dated."""
    chance = random.Random(7)
    made: list[dict[str, Any]] = []
    for seed in range(12):
        text, title = told(seed), told(100 + seed, 14)
        for body in (text, text, text[:150], "".join("*" if sign in "党企" else sign for sign in text)):
            days = chance.choice((None, 1, 1, 2, 9))
            published = now - timedelta(days=days) if days else None
            made.append({"title": title, "text": f"{body}\n{FURNITURE}", "published_at": published})
    chance.shuffle(made)
    return [make(id=number, url_key=f"a/{number}", url=f"http://a/{number}", **given)
            for number, given in enumerate(made, 1)]  # fmt: skip


def outcome(engine: Engine) -> dict[str, Any]:
    """Return all that matching wrote."""
    parts = (Article.id, Article.story_id, Article.relation, Article.relation_of, Article.relation_score)
    heads = (Story.id, Story.representative_id, Story.title, Story.article_count, Story.merged_into)
    with session_scope(engine) as session:
        return {
            "articles": [tuple(row) for row in session.execute(select(*parts).order_by(Article.id))],
            "stories": [tuple(row) for row in session.execute(select(*heads).order_by(Story.id))],
            "leading": sorted(session.scalars(select(StoryText.article_id))),
            "unsettled": sorted(session.scalars(select(StoryUnsettled.article_id))),
        }


def test_a_group_of_articles_gets_the_stories_they_get_one_by_one(
    engine: Engine, second_sqlite_engine: Engine, make_article: Make, now: datetime
) -> None:
    for article in articles(make_article, now):
        with session_scope(second_sqlite_engine) as session:
            session.add(article)
            session.flush()
            assign_story(session, article)
    group = articles(make_article, now)
    for some in (group[:30], group[30:]):
        with session_scope(engine) as session:
            session.add_all(some)
            session.flush()
            expect(session, some)
            for article in some:
                assign_story(session, article)
    found = outcome(engine)
    assert found == outcome(second_sqlite_engine)
    assert 0 < len(found["leading"]) < len(group)


def test_a_group_that_revises_one_of_its_own_finds_it_by_its_new_text(
    engine: Engine, make_article: Make, now: datetime
) -> None:
    with session_scope(engine) as session:
        first, copy, other = (make_article(title=told(9, 14), text=told(seed)) for seed in (1, 1, 2))
        session.add_all([first, copy, other])
        session.flush()
        expect(session, [first, copy, other])
        assign_story(session, first)
        first.text = told(2)
        reassign(session, first)
        assert assign_story(session, copy).story_id != first.story_id
        assert assign_story(session, other).story_id == first.story_id


def test_articles_that_begin_stories_are_written_together(
    sqlite_engine: Engine, make_article: Make, now: datetime
) -> None:
    writes: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT INTO story", "UPDATE article")):
            writes.append(statement)

    with session_scope(sqlite_engine) as session:
        some = [make_article(title=told(50 + seed, 14), text=told(seed)) for seed in range(10)]
        session.add_all(some)
        session.flush()
        event.listen(sqlite_engine, "before_cursor_execute", note)
        for article in some:
            assign_story(session, article)
        assert len(writes) > 10  # nothing is expected: each look-up sees what the article before has left
        writes.clear()
        more = [make_article(title=told(70 + seed, 14), text=told(20 + seed)) for seed in range(10)]
        session.add_all(more)
        session.flush()
        writes.clear()
        expect(session, more)
        for article in more:
            assign_story(session, article)
        assert writes == []
    assert len(writes) == 4
    assert len(outcome(sqlite_engine)["stories"]) == 20


def test_what_waits_is_there_for_every_question(session: Session, make_article: Make) -> None:
    article = make_article(title=told(1, 14), text=told(2))
    session.add(article)
    story = assign_story(session, article).story_id
    assert session.scalar(select(func.count()).select_from(Story)) == 1
    assert session.scalar(select(Article.story_id).where(Article.id == article.id)) == story
    assert session.get_one(Story, story).representative_id == article.id


def test_what_waits_goes_with_its_transaction(sqlite_engine: Engine, make_article: Make) -> None:
    with Session(sqlite_engine) as session:
        lost, kept = (
            make_article(title=told(1, 14), text=told(1)),
            make_article(title=told(2, 14), text=told(2)),
        )
        session.add(lost)
        assign_story(session, lost)
        session.rollback()
        session.add(kept)
        assign_story(session, kept)
        session.commit()
    found = outcome(sqlite_engine)
    assert [head[2] for head in found["stories"]] == [told(2, 14)]
    assert len(found["articles"]) == len(found["leading"]) == 1
