"""What a rebuild found different, taken over group by group while others read and write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Engine, Table, delete, select, update
from sqlalchemy.orm import Session

from store import story_index as index
from store import story_records as records
from store.database import read_scope, session_scope
from store.models import Article, Edit, IssueStory, Story, StoryArticle
from store.story_index import StoryText
from store.story_records import table_of
from store.story_scratch import BEFORE, NEW
from store.story_window import CHUNK, chunks

#: Articles and stories of whole groups written in one transaction: other writers wait less than a second.
BATCH = 200
#: Scores that differ by less are one.
ROUNDING = 1e-6
_ARTICLE, _STORY, _LINK, _TEXT, _EDIT, _TOLD = (
    table_of(model) for model in (Article, Story, StoryArticle, StoryText, Edit, IssueStory)
)
_PART = (_ARTICLE.c.story_id, _ARTICLE.c.relation, _ARTICLE.c.relation_of, _ARTICLE.c.relation_score)
_HEAD = (_STORY.c.representative_id, _STORY.c.first_publisher, _STORY.c.follow_up_of, _STORY.c.merged_into)


@dataclass(slots=True, frozen=True)
class _Place:
    """An article's part in stories. `page` is None for texts that do not lead; `links` are a page's further stories."""

    story: int | None
    relation: str | None
    of: int | None
    score: float | None
    page: bool | None
    links: frozenset[int]


_Change = tuple[_Place, _Place]
"""An article's part as it is and as it shall be."""


@dataclass(slots=True, frozen=True)
class _Head:
    """What a story's row says beyond what is counted from its articles."""

    representative: int | None
    publisher: str | None
    follow_up_of: int | None
    merged_into: int | None


@dataclass(slots=True)
class _Group:
    """Stories between which articles, links or succession change: taken over together or not at all."""

    places: dict[int, _Change] = field(default_factory=dict)
    stories: dict[int, _Head] = field(default_factory=dict)


def take_over(engine: Engine, scratch: Engine) -> tuple[int, list[int]]:
    """Write into `engine` what was worked out differently in `scratch`.

    Return how many articles changed their part in stories, and an article of each group that was left as it is because
    somebody changed it after it was copied.
    """
    changed, left = 0, list[int]()
    for batch in _batches(_groups(engine, scratch)):
        with session_scope(engine) as session, read_scope(scratch) as copied:
            records.lock(session)
            for group in batch:
                if _is_as_copied(session, copied, group):
                    _write(session, group)
                    changed += len(group.places)
                else:
                    left += [head.representative for head in group.stories.values() if head.representative][
                        :1
                    ]
    return changed, left


def _groups(engine: Engine, scratch: Engine) -> list[_Group]:
    """Return what differs, parted into groups that have nothing to do with each other."""
    places: dict[int, _Change] = {}
    roots = _Roots()
    with read_scope(engine) as there, read_scope(scratch) as here:
        for some in _numbers(here, _ARTICLE):
            chosen = _ARTICLE.c.id.in_(some), _LINK.c.article_id.in_(some)
            old, new = _places(there, *chosen), _places(here, *chosen)
            for number in old.keys() & new.keys():
                if not _agree(old[number], new[number]):
                    places[number] = old[number], new[number]
                    links = old[number].links | new[number].links
                    roots.join([new[number].story, _home(here, number), *links])
        for some in _numbers(here, _STORY):
            was = _heads(there, _STORY.c.id.in_(some))
            for number, head in _heads(here, _STORY.c.id.in_(some)).items():
                if number not in was or head != was[number]:
                    roots.join([number, *_others(head), *_others(was.get(number))])
        return _grouped(here, roots, places)


def _home(scratch: Session, article_id: int) -> int | None:
    return scratch.scalar(select(BEFORE.c.story_id).where(BEFORE.c.article_id == article_id))


def _others(head: _Head | None) -> tuple[int | None, ...]:
    return (head.follow_up_of, head.merged_into) if head else ()


class _Roots:
    """Which numbers belong together."""

    def __init__(self) -> None:
        self._up: dict[int, int] = {}

    def of(self, number: int) -> int:
        up = self._up
        while (above := up.setdefault(number, number)) != number:
            up[number] = up[above]
            number = above
        return number

    def join(self, numbers: Iterable[int | None]) -> None:
        first: int | None = None
        for number in numbers:
            if number is None:
                continue
            if first is None:
                first = self.of(number)
            else:
                self._up[self.of(number)] = first

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._up))


def _grouped(scratch: Session, roots: _Roots, places: dict[int, _Change]) -> list[_Group]:
    groups: dict[int, _Group] = defaultdict(_Group)
    for number, change in places.items():
        assert change[1].story is not None
        groups[roots.of(change[1].story)].places[number] = change
    for chunk in chunks(list(roots)):
        for number, head in _heads(scratch, _STORY.c.id.in_(chunk)).items():
            groups[roots.of(number)].stories[number] = head
    return list(groups.values())


def _batches(groups: list[_Group]) -> Iterator[list[_Group]]:
    batch, size = list[_Group](), 0
    for group in groups:
        batch.append(group)
        size += len(group.places) + len(group.stories)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _numbers(session: Session, table: Table) -> Iterator[list[int]]:
    """Yield the numbers of a table, CHUNK at a time."""
    last = 0
    while numbers := session.scalars(
        select(table.c.id).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
    ).all():
        yield list(numbers)
        last = numbers[-1]


def _places(session: Session, articles: ColumnElement[bool], links: ColumnElement[bool]) -> dict[int, _Place]:
    """Return the part of some articles; `links` chooses the same articles in the table of further stories."""
    further: dict[int, set[int]] = defaultdict(set)
    for story, article in session.execute(select(_LINK.c.story_id, _LINK.c.article_id).where(links)):
        further[article].add(story)
    rows = session.execute(
        select(_ARTICLE.c.id, *_PART, _TEXT.c.page)
        .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
        .where(articles)
    )
    return {row[0]: _Place(*row[1:], frozenset(further.get(row[0], ()))) for row in rows}


def _agree(old: _Place, new: _Place) -> bool:
    if (old.score is None) != (new.score is None) or abs((old.score or 0) - (new.score or 0)) > ROUNDING:
        return False
    return replace(old, score=None) == replace(new, score=None)


def _heads(session: Session, which: ColumnElement[bool]) -> dict[int, _Head]:
    return {row[0]: _Head(*row[1:]) for row in session.execute(select(_STORY.c.id, *_HEAD).where(which))}


def _copied(scratch: Session, which: ColumnElement[bool]) -> set[tuple[object, ...]]:
    """Return the articles as they were copied, with their stories of then."""
    columns = (_ARTICLE.c.id, BEFORE.c.story_id, _ARTICLE.c.checksum, _ARTICLE.c.published_at)
    rows = scratch.execute(select(*columns).join(BEFORE, BEFORE.c.article_id == _ARTICLE.c.id).where(which))
    return {tuple(row) for row in rows}


def _is_as_copied(session: Session, scratch: Session, group: _Group) -> bool:
    """Tell whether a group's articles, and no others, still stand in its stories, and none went out in an issue meanwhile."""
    columns = (_ARTICLE.c.id, _ARTICLE.c.story_id, _ARTICLE.c.checksum, _ARTICLE.c.published_at)
    numbers = [number for number in group.stories if number < NEW]
    for chunk in chunks(numbers):
        now = {tuple(row) for row in session.execute(select(*columns).where(_ARTICLE.c.story_id.in_(chunk)))}
        if now != _copied(scratch, BEFORE.c.story_id.in_(chunk)):
            return False
    for chunk in chunks(list(group.places)):
        parts = _places(session, _ARTICLE.c.id.in_(chunk), _LINK.c.article_id.in_(chunk))
        if any(parts.get(number) != group.places[number][0] for number in chunk):
            return False
    emptied = [number for number, head in group.stories.items() if head.representative is None]
    return all(_told(session, chunk) == _told(scratch, chunk) for chunk in chunks(emptied))


def _told(session: Session, stories: list[int]) -> set[int]:
    """Return those of the stories that stand in an issue."""
    return set(session.scalars(select(_TOLD.c.story_id).where(_TOLD.c.story_id.in_(stories))))


def _write(session: Session, group: _Group) -> None:
    names = _begin_stories(session, group)
    for number, (old, new) in group.places.items():
        assert new.story is not None
        story = names.get(new.story, new.story)
        records.put_article(session, number, story, new.relation or "original", new.of, new.score)
        if old.links != new.links:
            session.execute(delete(_LINK).where(_LINK.c.article_id == number))
            for link in sorted(new.links):
                records.link_pages(session, [(number, story)], names.get(link, link))
        if old.page != new.page:
            _lead(session, number, old.page, new.page)
    for number, head in group.stories.items():
        if head.representative is None:
            _empty(session, number, names.get(head.merged_into or 0, head.merged_into))
        else:
            _fill(
                session, names.get(number, number), head, names.get(head.follow_up_of or 0, head.follow_up_of)
            )


def _begin_stories(session: Session, group: _Group) -> dict[int, int]:
    """Insert the stories that the rebuild began; return their numbers by those they have in the scratch database."""
    return {
        number: records.new_story(session, session.get_one(Article, head.representative), head.publisher)
        for number, head in sorted(group.stories.items())
        if number > NEW and head.representative is not None
    }


def _lead(session: Session, article_id: int, before: bool | None, page: bool | None) -> None:
    """Make an article a leading text, a page, or neither."""
    if page is None:
        index.drop_leader(session, article_id)
    elif before is not None:
        session.execute(update(_TEXT).where(_TEXT.c.article_id == article_id).values(page=page))
    elif (text := index.one_article(session, article_id)) is not None:
        common = index.find_candidates(session, text)[1]
        index.add_leader(session, article_id, text, common, page=page)


def _fill(session: Session, story: int, head: _Head, follow_up_of: int | None) -> None:
    title = session.scalar(select(_ARTICLE.c.title).where(_ARTICLE.c.id == head.representative))
    records.set_story(
        session, story, representative_id=head.representative, title=title, first_publisher=head.publisher,
        follow_up_of=follow_up_of, merged_into=None,
    )  # fmt: skip
    records.recount(session, story)


def _empty(session: Session, story: int, target: int | None) -> None:
    if story > NEW:
        return
    records.set_story(
        session, story, article_count=0, representative_id=None, follow_up_of=None, merged_into=target
    )
    if target is not None:
        session.execute(update(_EDIT).where(_EDIT.c.story_id == story).values(story_id=target))
