"""The archive: issues that went out, their stories' facts, and search in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from store.models import Article, ArticleTag, Issue, IssueStory, Story
from store.search import SHORTEST_QUERY, Query, outlet_is, query_words, stories_that_say
from store.search_index import SearchText, holds, keep_up, prefer_index
from store.text import clean_line

__all__ = ["SHORTEST_QUERY", "Query", "list_issues", "search", "story_facts", "told_tags"]


@dataclass(frozen=True, slots=True)
class IssueLine:
    """An issue in the list of all."""

    number: int
    label: str
    total: str
    date_words: str
    late: bool
    stories: int
    overview: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One article of a story on its page of facts; never its text."""

    title: str
    publisher: str
    site: str
    url: str
    published_at: datetime | None
    seen_at: datetime
    relation: str


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What the archive tells of a story: the frozen content and every article that carries it today."""

    story_id: int
    number: int
    label: str
    content: dict[str, Any]
    articles: tuple[Shown, ...]
    evidence: tuple[tuple[str, str, str], ...]  # kind, name, the words that prove it


@dataclass(frozen=True, slots=True)
class Hit:
    """A story that was found, as its issue told it."""

    story_id: int
    number: int
    label: str
    content: dict[str, Any]


def list_issues(session: Session, limit: int = 1000) -> list[IssueLine]:
    """Return the issues, newest first."""
    counts = select(func.count()).where(IssueStory.issue_id == Issue.id).correlate(Issue).scalar_subquery()
    rows = session.execute(select(Issue, counts).order_by(Issue.number.desc()).limit(limit))
    return [
        IssueLine(
            issue.number,
            issue.content["masthead"]["label"],
            issue.content["masthead"]["total"],
            issue.content["masthead"]["date_words"],
            issue.late,
            stories,
            issue.content["overview"],
        )
        for issue, stories in rows
    ]


def story_facts(session: Session, story_id: int) -> StoryFacts | None:
    """Return the facts of a story that an issue told, or None. A merged story's page is that of the story it went into."""
    wanted = select(IssueStory).where(IssueStory.story_id == story_id).options(selectinload(IssueStory.issue))
    told = session.scalars(wanted).one_or_none()
    if told is None:
        return None
    current = session.get_one(Story, story_id)
    for _ in range(20):
        if current.merged_into is None:
            break
        current = session.get_one(Story, current.merged_into)
    articles = session.scalars(
        select(Article)
        .where(Article.story_id.in_({story_id, current.id}))
        .options(selectinload(Article.source), selectinload(Article.tags))
        .order_by(Article.first_seen_at, Article.id)
    ).all()
    chosen = current.representative_id
    evidence = [
        (tag.kind, tag.name, clean_line(tag.text))
        for article in articles
        if article.id == chosen
        for tag in sorted(article.tags, key=lambda tag: (tag.kind, tag.start))
    ]
    label = told.issue.content["masthead"]["label"]
    shown = tuple(map(_shown, articles))
    return StoryFacts(story_id, told.issue.number, label, told.content, shown, tuple(dict.fromkeys(evidence)))


def _shown(article: Article) -> Shown:
    site = (article.source.publisher or "") if article.source else ""
    return Shown(
        article.title,
        article.publisher or "",
        site,
        article.url,
        article.published_at,
        article.first_seen_at,
        article.relation or "original",
    )


def search(session: Session, query: Query, limit: int = 30, offset: int = 0) -> tuple[int, list[Hit]]:
    """Return how many told stories match and those from `offset` on, newest issue first.

    Words are found as they stand, inside other words too, in title and text of any article of a story and in the title
    and summary that went out; case, width and traditional forms play no part, % and _ are ordinary characters. A query
    with one word under two characters finds nothing.
    """
    keep_up(session)
    words = query_words(query)
    if words is None:
        return 0, []
    if words:
        prefer_index(session)
    base = _filtered(session, select(IssueStory.id), query, words)
    total = session.scalar(select(func.count()).select_from(base.subquery())) or 0
    rows = session.scalars(
        select(IssueStory)
        .join(Issue, Issue.id == IssueStory.issue_id)
        .where(IssueStory.id.in_(base))
        .options(selectinload(IssueStory.issue))
        .order_by(Issue.number.desc(), IssueStory.rank)
        .limit(limit)
        .offset(offset)
    )
    return total, [
        Hit(row.story_id, row.issue.number, row.issue.content["masthead"]["label"], row.content)
        for row in rows
    ]


def _filtered(session: Session, base: Select[Any], query: Query, words: Sequence[str]) -> Select[Any]:
    found = base.join(Story, Story.id == IssueStory.story_id)
    for word in words:
        told = stories_that_say(session, word, select(IssueStory.story_id))
        went_out = holds(word, IssueStory.said)
        found = found.where(or_(Story.id.in_(told), went_out))
    for kind, name in (("zone", query.zone), ("theme", query.theme)):
        if name:
            found = found.where(
                _any_article(Article.tags.any((ArticleTag.kind == kind) & (ArticleTag.name == name)))
            )
    if outlet := clean_line(query.outlet):
        named = and_(SearchText.article_id == Article.id, outlet_is(session, outlet))
        found = found.where(_any_article(named))
    moment = func.coalesce(Story.first_published_at, Story.first_seen_at)
    if query.since:
        found = found.where(moment >= query.since)
    if query.until:
        found = found.where(moment < query.until)
    return found


def _any_article(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Article.id).where(Article.story_id == Story.id, condition).correlate(Story).exists()


def told_tags(session: Session, kind: str) -> list[str]:
    """Return the zones or themes of told stories, for the lists to choose from."""
    return list(
        session.scalars(
            select(ArticleTag.name)
            .join(Article, Article.id == ArticleTag.article_id)
            .join(IssueStory, IssueStory.story_id == Article.story_id)
            .where(ArticleTag.kind == kind)
            .distinct()
            .order_by(ArticleTag.name)
        )
    )
