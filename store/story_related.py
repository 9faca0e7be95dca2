"""Stories of the same event in other words: shown beside each other, never made one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from store.dedup.canonical import fold
from store.models import Article, ArticleTag, Issue, IssueStory, Story

#: Two papers tell of one day's event on that day or on the next.
DAYS = timedelta(days=1)
#: So many articles of one zone around one day are looked at; also how many stories are asked for in one IN (…).
MOST = 1000
#: So many neighbours in time a story of an issue is compared with under each practice: keeps a page of everybody's
#: practices from being paired with everybody.
NEIGHBOURS = 5
_QUOTES = "“”‘’「」『』\"' "


@dataclass(slots=True, frozen=True)
class Told:
    """What of a story decides whether it tells of the same event as another: its leading article's day, zones and practices."""

    story_id: int
    published_at: datetime | None
    zones: frozenset[str]
    practices: Mapping[str, str]  # comparison form -> as it is written


@dataclass(slots=True, frozen=True)
class SameEvent:
    """Another story of the same event: the zones and named practices that both have, and how to find it.

    `told_in` is the number of the issue that told it, None when none did.
    """

    story_id: int
    title: str
    publisher: str
    url: str
    published_at: datetime
    zones: tuple[str, ...]
    practices: tuple[str, ...]
    told_in: int | None


def same_event(a: Told, b: Told) -> tuple[str, ...]:
    """Return the practices both name, as `a` writes them, when their days and zones agree too; else nothing."""
    if a.published_at is None or b.published_at is None or abs(a.published_at - b.published_at) > DAYS:
        return ()
    if not a.zones & b.zones:
        return ()
    return tuple(sorted(a.practices[key] for key in a.practices.keys() & b.practices.keys()))


def events_among(stories: Iterable[Told]) -> dict[int, dict[int, tuple[str, ...]]]:
    """Return for every story that has any the other ones of the same event, with the practices they share. Pure, linear."""
    shelves: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for story in stories:
        if story.published_at is not None:
            for zone in story.zones:
                for practice in story.practices:
                    shelves[zone, practice].append(story)
    found: dict[int, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for shelf in shelves.values():
        shelf.sort(key=lambda story: (story.published_at, story.story_id))
        for place, story in enumerate(shelf):
            for other in shelf[place + 1 : place + 1 + NEIGHBOURS]:
                if shared := same_event(story, other):
                    found[story.story_id][other.story_id] = shared
                    found[other.story_id][story.story_id] = same_event(other, story)
    return {key: dict(sorted(found[key].items())) for key in sorted(found)}


def related(session: Session, story_id: int) -> list[SameEvent]:
    """Return the stories with a zone and a named practice of this one, published within a day of it, by number.

    Empty for a story without date, zone or named practice, and for one that does not exist.
    """
    return related_to(session, [story_id]).get(story_id, [])


def related_to(session: Session, story_ids: Sequence[int]) -> dict[int, list[SameEvent]]:
    """Return `related` of many stories; those without any are left out. Three indexed queries a story that could have one at all."""
    found: dict[int, list[SameEvent]] = {}
    for start in range(0, len(story_ids), MOST):
        leads = _leads(session, Story.id.in_(story_ids[start : start + MOST]))
        for lead in leads:
            if others := _others(session, lead.told):
                found[lead.told.story_id] = others
    return found


def _others(session: Session, story: Told) -> list[SameEvent]:
    if story.published_at is None or not story.zones or not story.practices:
        return []
    here = (
        select(ArticleTag.id)
        .where(
            ArticleTag.article_id == Article.id, ArticleTag.kind == "zone", ArticleTag.name.in_(story.zones)
        )
        .exists()
    )
    around = (
        select(Article.id)
        .where(Article.published_at.between(story.published_at - DAYS, story.published_at + DAYS), here)
        .order_by(
            Article.published_at, Article.id
        )  # the order of the index: nothing is sorted, nothing else looked at
        .limit(MOST)
    )
    leads = _leads(session, Story.representative_id.in_(session.scalars(around).all()))
    found = [_event(story, lead, shared) for lead in leads if (shared := same_event(story, lead.told))]
    return [event for event in found if event.story_id != story.story_id]


@dataclass(slots=True, frozen=True)
class _Lead:
    told: Told
    title: str
    publisher: str
    url: str
    issue: int | None


def _event(story: Told, lead: _Lead, shared: tuple[str, ...]) -> SameEvent:
    assert lead.told.published_at is not None
    zones = tuple(sorted(story.zones & lead.told.zones))
    return SameEvent(
        lead.told.story_id, lead.title, lead.publisher, lead.url, lead.told.published_at, zones, shared, lead.issue
    )  # fmt: skip


def _leads(session: Session, condition: ColumnElement[bool]) -> list[_Lead]:
    """Return stories that name a practice, by number, as their leading articles tell them."""
    rows = session.execute(
        select(
            Story.id, Article.id, Article.published_at, Article.classification,
            Article.title, Article.publisher, Article.url, Issue.number,
        )
        .join(Article, Article.id == Story.representative_id)
        .outerjoin(IssueStory, IssueStory.story_id == Story.id)
        .outerjoin(Issue, Issue.id == IssueStory.issue_id)
        .where(condition)
        .order_by(Story.id)
    ).all()  # fmt: skip
    named = [(row, names) for row in rows if (names := practices(row[3]))]
    zones = _zones(session, [row[1] for row, _ in named]) if named else {}
    return [
        _Lead(Told(story, at, frozenset(zones.get(article, ())), names), title, publisher or "", url, issue)
        for (story, article, at, _, title, publisher, url, issue), names in named
    ]


def _zones(session: Session, article_ids: Sequence[int]) -> dict[int, set[str]]:
    """Return the zones of articles. The kind is looked at here: SQLite would take the index over all zones for it."""
    tags = select(ArticleTag.article_id, ArticleTag.kind, ArticleTag.name)
    found: dict[int, set[str]] = defaultdict(set)
    for article_id, kind, name in session.execute(tags.where(ArticleTag.article_id.in_(article_ids))):
        if kind == "zone":
            found[article_id].add(name)
    return found


def practices(classification: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the named practices of an article as they are written, without quotes, by their comparison form."""
    found: dict[str, str] = {}
    for entry in (classification or {}).get("practices") or ():
        name = str(entry.get("name") or "") if isinstance(entry, Mapping) else str(entry)
        if key := fold(name).text:
            found.setdefault(key, name.strip(_QUOTES))
    return found
