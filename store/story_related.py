"""Stories of the same event in other words: shown beside each other, never made one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.dedup.canonical import fold
from store.models import Article, ArticleTag, Story

#: Two papers tell of one day's event on that day or on the next.
DAYS = timedelta(days=1)
#: So many articles of one zone around one day are looked at.
MOST = 500


@dataclass(slots=True, frozen=True)
class SameEvent:
    """A story that tells of the same event: the zones and named practices that both have, and its number and headline."""

    story_id: int
    title: str
    zones: tuple[str, ...]
    practices: tuple[str, ...]


def related(session: Session, story_id: int) -> list[SameEvent]:
    """Return the stories with a zone and a named practice of this one, published within a day of it, by number.

    Empty for a story without date, zone or named practice, and for one that does not exist.
    """
    story = session.get(Story, story_id)
    article = story.representative if story is not None else None
    if article is None or article.published_at is None:
        return []
    zones, names = _zones(article), practices(article.classification)
    if not zones or not names:
        return []
    found: dict[int, SameEvent] = {}
    for other in _around(session, article, zones):
        shared = names.keys() & practices(other.classification).keys()
        if shared and other.story_id is not None and other.story_id not in found:
            found[other.story_id] = SameEvent(
                other.story_id, other.title, tuple(sorted(zones & _zones(other))), tuple(sorted(names[key] for key in shared))
            )  # fmt: skip
    return [found[key] for key in sorted(found)]


def _around(session: Session, article: Article, zones: frozenset[str]) -> list[Article]:
    """Return the leading articles of other stories about these zones of these days."""
    assert article.published_at is not None
    about = select(ArticleTag.article_id).where(ArticleTag.kind == "zone", ArticleTag.name.in_(zones))
    return list(
        session.scalars(
            select(Article)
            .join(Story, Story.representative_id == Article.id)
            .where(
                Article.published_at.between(article.published_at - DAYS, article.published_at + DAYS),
                Article.id.in_(about),
                Article.story_id != article.story_id,
            )
            .order_by(Article.id)
            .limit(MOST)
        )
    )


def _zones(article: Article) -> frozenset[str]:
    return frozenset(tag.name for tag in article.tags if tag.kind == "zone")


def practices(classification: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the named practices of an article as they are written, by their comparison form."""
    found: dict[str, str] = {}
    for entry in (classification or {}).get("practices") or ():
        name = str(entry.get("text") or "") if isinstance(entry, Mapping) else str(entry)
        if key := fold(name).text:
            found.setdefault(key, name)
    return found
