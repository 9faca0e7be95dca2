"""Changing what was decided: a revised text, and stories merged or split by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store import story_index as index
from store import story_records as records
from store.dedup.same_story import Text
from store.models import Article, ArticleVersion, Story, StoryArticle, StoryOverride
from store.story_assign import Assignment, choose_story, settle, unite
from store.story_unsettled import mark


def reassign(session: Session, article: Article, *, zones: Sequence[str] = ()) -> Assignment:
    """Give an article whose text was revised its story again. It keeps its story's number when it is alone in it."""
    session.flush()
    records.lock(session)
    before = article.story_id
    home = _take_out(session, article, _former_text(session, article)) if before is not None else None
    assignment = choose_story(session, article, zones=zones, overridden=True, home=home, arrives=True)
    if home is not None and assignment.story_id != home:
        records.set_story(session, home, merged_into=assignment.story_id)
        records.refresh_loaded(session, (), [home])
    return assignment


def forget(session: Session, article: Article) -> None:
    """Take an article out of its story and of the index; to be called before it is deleted."""
    records.lock(session)
    if article.story_id is not None:
        _take_out(session, article, Text(article.title, article.text))


def _take_out(session: Session, article: Article, kept_as: Text | None) -> int | None:
    """Take an article out of its story and the index; return the story when that leaves it empty."""
    story = article.story_id
    assert story is not None
    index.drop_leader(session, article.id, kept_as)
    session.execute(delete(StoryArticle).where(StoryArticle.article_id == article.id))
    article.story_id = article.relation_of = article.relation = article.relation_score = None
    session.flush()
    changed = settle(session, story)
    mark(session, sorted(changed)[:1])
    records.refresh_loaded(session, changed, [story])
    return None if records.article_count(session, story) else story


def _former_text(session: Session, article: Article) -> Text | None:
    newest = select(ArticleVersion).where(ArticleVersion.article_id == article.id)
    version = session.scalars(newest.order_by(ArticleVersion.version.desc()).limit(1)).first()
    return Text(version.title, version.text) if version is not None else None


def merge(session: Session, a: int, b: int, who: str, reason: str, now: datetime) -> Story:
    """Make stories `a` and `b` one, for good; return the one that stays. Raises LookupError for a story without articles."""
    records.lock(session)
    one, other = _representative(session, a), _representative(session, b)
    if a == b:
        raise ValueError("a story cannot be merged with itself")
    session.execute(
        delete(StoryOverride).where(
            StoryOverride.action == "split",
            StoryOverride.article_id.in_((one, other)),
            StoryOverride.other_id.in_((one, other)),
        )
    )
    records.add_override(session, "merge", one, other, who=who, reason=reason, now=now)
    mark(session, [one])
    changed: set[int] = set()
    keep = unite(session, a, b, changed, by_hand=True)
    assert keep is not None
    changed |= settle(session, keep)
    records.refresh_loaded(session, changed, [a, b])
    return session.get_one(Story, keep)


def _representative(session: Session, story: int) -> int:
    row = session.scalar(select(Story.representative_id).where(Story.id == story))
    if row is None:
        raise LookupError(f"story {story} has no articles")
    return row


def split(session: Session, article_id: int, who: str, reason: str, now: datetime) -> Story:
    """Take one article out of its story, for good; return its new story.

    Raises LookupError when the article has no story, ValueError when it is the only one of its story.
    """
    records.lock(session)
    article = session.get(Article, article_id)
    if article is None or article.story_id is None:
        raise LookupError(f"article {article_id} has no story")
    old = article.story_id
    members = [known.article_id for known in index.members(session, [old]) if known.article_id != article_id]
    if not members:
        raise ValueError(f"article {article_id} is the only one of story {old}")
    former = session.get_one(Story, old).representative_id
    other = former if former in members else members[0]
    assert other is not None
    _forget_merges(session, article_id, old)
    records.add_override(session, "split", article_id, other, who=who, reason=reason, now=now)
    new = records.new_story(session, article, article.publisher)
    records.put_article(session, article_id, new, "original", None, 1.0)
    _lead(session, article)
    mark(session, [article_id])
    changed = settle(session, old) | {article_id}
    records.refresh_loaded(session, changed, [old, new])
    return session.get_one(Story, new)


def _forget_merges(session: Session, article_id: int, story: int) -> None:
    """A split takes back an earlier merge of the same article."""
    session.flush()
    for row in session.scalars(select(StoryOverride).where(StoryOverride.action == "merge")).all():
        if article_id in (row.article_id, row.other_id):
            other = row.other_id if row.article_id == article_id else row.article_id
            if session.scalar(select(Article.story_id).where(Article.id == other)) == story:
                session.delete(row)
    session.flush()


def _lead(session: Session, article: Article) -> None:
    known = index.one_member(session, article.id)
    if known is not None and not known.leads:
        index.add_leader(session, article.id, known.text)
