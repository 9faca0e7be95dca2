"""Stories in a database, as crawling and grouping would leave them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session

from store.models import Article, ArticleTag, Source, Story

AddStory = Callable[..., Story]


@pytest.fixture
def add_story(make_article: Callable[..., Article]) -> AddStory:
    """Add a relevant story seen at `seen` with one article per outlet; further arguments go to the articles."""
    serial = count(1)

    def build(
        session: Session,
        seen: datetime,
        *,
        zones: tuple[str, ...] = ("合肥高新区",),
        themes: tuple[str, ...] = ("org",),
        outlets: tuple[str, ...] = ("园区日报",),
        published: datetime | None = None,
        relevant: bool = True,
        follow_up_of: int | None = None,
        **given: Any,
    ) -> Story:
        n = next(serial)
        zone = zones[0] if zones else "高新区"
        values = {
            "title": f"{zone}第{n}次党支部书记例会召开",
            "text": f"11月{n % 28 + 1}日，{zone}召开第{n}次党支部书记例会，{n + 20}名党员参加。会议研究了两新党建工作。",
            "publisher": outlets[0] if outlets else None,
            "published_at": published,
            "first_seen_at": seen,
            "updated_at": seen,
            "relevant": relevant,
            "score": 0.9,
        } | given
        story = Story(
            title=values["title"],
            first_publisher=values["publisher"],
            first_published_at=values["published_at"],
            first_seen_at=seen,
            last_seen_at=seen,
            relevant=relevant,
            score=0.9,
            follow_up_of=follow_up_of,
        )
        session.add(story)
        session.flush()
        articles = [make_article(**values, story_id=story.id) for _ in (outlets or ("",))]
        for article, outlet in zip(articles, outlets or ("",), strict=True):
            article.source = _source(session, outlet, seen) if outlet else None
            article.tags = [_tag("zone", z, "actor") for z in zones] + [
                _tag("theme", t, None) for t in themes
            ]
        session.add_all(articles)
        session.flush()
        story.representative_id = articles[0].id
        story.article_count = len(articles)
        session.flush()
        return story

    return build


def _tag(kind: str, name: str, role: str | None) -> ArticleTag:
    return ArticleTag(kind=kind, name=name, role=role, field="text", start=0, end=2, text=name)


def _source(session: Session, publisher: str, seen: datetime) -> Source:
    found = session.query(Source).filter_by(name=publisher).one_or_none()
    if found is None:
        first = seen - timedelta(days=3)
        found = Source(
            name=publisher, kind="portal", publisher=publisher, first_seen_at=first, last_new_at=seen
        )
        session.add(found)
        session.flush()
    return found
