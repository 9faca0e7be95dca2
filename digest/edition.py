"""One recipient's cut of a frozen issue: the zones, provinces and themes asked for, counted anew. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

from digest.counts import count, overview, per_theme, table
from digest.names import SUPPLEMENT, province

_NO_CHANGE = {"last": None, "change": None, "mean": None}


class StoryLike(Protocol):
    """A row of IssueStory or a story of a draft."""

    story_id: Any
    section: Any
    rank: Any
    in_full: Any
    weight: Any
    content: Any


class IssueLike(Protocol):
    """A row of Issue or a draft of the coming one."""

    number: Any
    period_start: Any
    period_end: Any
    composed_at: Any
    content: Any

    @property
    def stories(self) -> Sequence[Any]: ...


class RecipientLike(Protocol):
    """What of a recipient decides about the cut."""

    name: Any
    zones: Any
    themes: Any
    provinces: Any
    send_empty: Any


@dataclass(frozen=True, slots=True)
class SeeAlso:
    """Another story of this edition that tells of the same event, and the practice by which that is known.

    `brief` is its place among the stories of one line, 0 for one told in full.
    """

    story_id: int
    number: int
    brief: int
    practice: str


@dataclass(frozen=True, slots=True)
class EditionStory:
    """A story with its running number in this edition. `content` is the frozen one of IssueStory."""

    story_id: int
    number: int
    section: str
    in_full: bool
    content: Mapping[str, Any]
    same_event: tuple[SeeAlso, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A theme's stories in full, in the order of their zones."""

    key: str
    title: str
    stories: tuple[EditionStory, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """What one reader gets. `content` has the keys of Issue.content, with the numbers of this cut.

    `choice` says in words what was asked for, "" for the whole issue; `wanted` is whether it is to be sent at all: an
    empty edition goes only to who asked for empty weeks.
    """

    number: int
    content: Mapping[str, Any]
    composed_at: datetime
    stories: tuple[EditionStory, ...]
    choice: str
    whole: int
    wanted: bool

    @property
    def story_ids(self) -> tuple[int, ...]:
        """Every story of the edition in reading order, the same in all forms."""
        return tuple(story.story_id for story in self.stories)

    @property
    def headlines(self) -> tuple[EditionStory, ...]:
        """The stories under 要闻."""
        return tuple(story for story in self.stories if story.in_full and story.content["headline"])

    @property
    def sections(self) -> tuple[Section, ...]:
        """The other stories in full, by theme."""
        rest = [story for story in self.stories if story.in_full and not story.content["headline"]]
        return _sections(rest)

    @property
    def briefs(self) -> tuple[Section, ...]:
        """The stories of one line, by theme; the last section may be 补录."""
        return _sections(story for story in self.stories if not story.in_full)


def _sections(stories: Iterable[EditionStory]) -> tuple[Section, ...]:
    grouped = [(key, tuple(same)) for key, same in groupby(stories, key=lambda story: story.section)]
    return tuple(Section(key, same[0].content["section_title"], same) for key, same in grouped)


def edition_for(issue: IssueLike, recipient: RecipientLike | None = None) -> Edition:
    """Return the recipient's cut of the issue, or the whole issue for None.

    Zones and provinces together say where, themes say what; a story must satisfy both, and one list is enough where the
    other is empty. A story of unknown zone reaches only who did not choose places.
    """
    stories = sorted(issue.stories, key=lambda story: (story.rank, story.story_id))
    cut = [story for story in stories if recipient is None or _asked_for(story.content, recipient)]
    chosen = recipient is not None and bool(recipient.zones or recipient.themes or recipient.provinces)
    content = _recounted(issue.content, [story.content for story in cut]) if chosen else issue.content
    wanted = recipient is None or bool(cut) or bool(recipient.send_empty)
    return Edition(
        issue.number,
        content,
        issue.composed_at,
        tuple(_numbered(cut, content["max_stories"], list(content["theme_titles"]))),
        _choice(recipient, content) if recipient is not None and chosen else "",
        len(stories),
        wanted,
    )


def _asked_for(content: Mapping[str, Any], recipient: RecipientLike) -> bool:
    zones, provinces = set(recipient.zones or ()), {province(name) for name in recipient.provinces or ()}
    themes = set(recipient.themes or ())
    here = any(zone["name"] in zones or zone["province"] in provinces for zone in content["zones"])
    return (here or not (zones or provinces)) and (
        not themes or any(theme["key"] in themes for theme in content["themes"])
    )


def _numbered(stories: Sequence[StoryLike], limit: int, sections: Sequence[str]) -> Iterable[EditionStory]:
    """A cut has room for stories that had only a line in the whole issue; they follow those in full, by weight.

    Stories of one event name each other where both are in the cut.
    """
    room = limit - sum(story.in_full for story in stories)
    lines = [story for story in stories if not story.in_full and story.section != SUPPLEMENT[0]]
    best = sorted(lines, key=lambda story: (-story.weight, story.rank))[: max(0, room)]
    promoted = {story.story_id for story in best}
    placed = sorted(stories, key=lambda story: _reading_order(story, promoted, sections))
    in_full = sum(story.in_full or story.story_id in promoted for story in stories)
    numbers = {story.story_id: number for number, story in enumerate(placed, 1)}
    for number, story in enumerate(placed, 1):
        others = tuple(
            SeeAlso(key, numbers[key], max(0, numbers[key] - in_full), other["practice"])
            for other in story.content.get("same_event", ())
            if (key := other["story_id"]) in numbers
        )
        yield EditionStory(story.story_id, number, story.section, number <= in_full, story.content, others)


def _reading_order(story: StoryLike, promoted: set[int], sections: Sequence[str]) -> tuple[int, int, int]:
    if not story.in_full and story.story_id not in promoted:
        return (2, 0, story.rank)
    if story.content["headline"]:
        return (0, 0, story.rank)
    place = sections.index(story.section) if story.section in sections else len(sections)
    return (1, place, story.rank)


def _recounted(content: Mapping[str, Any], stories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    numbers, themes = count(stories), per_theme(stories)
    return dict(content) | {
        "counts": numbers,
        "change": _NO_CHANGE,
        "themes": themes,
        "table": table(stories, themes),
        "overview": overview(numbers, themes, stories, _NO_CHANGE),
    }


def _choice(recipient: RecipientLike, content: Mapping[str, Any]) -> str:
    titles = content["theme_titles"]
    lists = (
        ("园区", [*recipient.zones]),
        ("省份", [*recipient.provinces]),
        ("主题", [titles.get(key, key) for key in recipient.themes]),
    )
    return "；".join(f"{label}：{'、'.join(map(str, values))}" for label, values in lists if values)
