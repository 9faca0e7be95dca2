"""Issues: what may go into the next one, what went before, and freezing it. Issues tile time and each story is in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, selectinload

from store.models import Article, ArticleTag, Crawl, Edit, Issue, IssueStory, Source, Story
from store.search_index import as_searched

#: Rows asked for in one IN (…): below the variable limits of both databases.
_BATCH = 500

#: Stories that the editor took in though the classifier was not sure.
_INCLUDED = select(Edit.story_id).where(
    Edit.kind == "include", Edit.undone_at.is_(None), Edit.story_id.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A zone (role actor or mention) or theme of an article; one for each place that shows it."""

    kind: str
    name: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Copy:
    """One article of a story, as far as the digest needs it. `site` is the publisher of the source that shows it."""

    article_id: int
    title: str
    text: str
    url: str
    publisher: str
    site: str
    published_at: datetime | None
    seen_at: datetime
    relation: str
    classification: dict[str, Any]
    flags: tuple[str, ...]
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The story an issue told before, which a new one follows up."""

    story_id: int
    title: str
    number: int
    year: int
    year_number: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A relevant story that no issue has told yet. The first copy is the representative."""

    story_id: int
    title: str
    publisher: str
    published_at: datetime | None
    seen_at: datetime
    score: float
    copies: tuple[Copy, ...]
    earlier: Earlier | None


@dataclass(frozen=True, slots=True)
class EditorAct:
    """A decision of the editor about the coming issue that has not been undone."""

    edit_id: int
    story_id: int | None
    kind: str
    value: str
    reason: str
    who: str
    at: datetime
    issue_id: int | None


@dataclass(frozen=True, slots=True)
class SourceLook:
    """How the visits of one enabled source went in a period; `last_new_at` is the last time it ever had news."""

    name: str
    publisher: str
    state: str
    reason: str
    looked: int
    failed: int
    first_seen_at: datetime
    last_new_at: datetime | None
    zones: frozenset[str]


@dataclass(slots=True)
class DraftStory:
    """A story placed in an issue that is not frozen yet; the fields are those of IssueStory."""

    story_id: int
    section: str
    rank: int
    in_full: bool
    weight: float
    content: dict[str, Any]


@dataclass(slots=True)
class Draft:
    """An issue that is not frozen yet; the fields are those of Issue. `edit_ids` are the decisions that took effect."""

    number: int
    year: int
    year_number: int
    period_start: datetime
    period_end: datetime
    due_at: datetime
    composed_at: datetime
    late: bool
    content: dict[str, Any]
    stories: list[DraftStory] = field(default_factory=list)
    edit_ids: list[int] = field(default_factory=list)


def past_issues(session: Session, count: int) -> list[Issue]:
    """Return the newest `count` issues, newest first, detached and without their stories."""
    found = list(session.scalars(select(Issue).order_by(Issue.number.desc()).limit(count)))
    for issue in found:
        session.expunge(issue)
    return found


def last_issues(session: Session, count: int) -> list[Issue]:
    """Return the newest `count` issues, newest first, detached, with their stories."""
    wanted = select(Issue).order_by(Issue.number.desc()).limit(count).options(selectinload(Issue.stories))
    return [_detached(session, issue) for issue in session.scalars(wanted).all()]


def issue_by_number(session: Session, number: int) -> Issue | None:
    """Return issue 总第`number`期 with its stories, detached, or None."""
    return _whole(session, Issue.number == number)


def issue_by_id(session: Session, issue_id: int) -> Issue | None:
    """Return the issue with its stories, detached, or None."""
    return _whole(session, Issue.id == issue_id)


def _whole(session: Session, condition: ColumnElement[bool]) -> Issue | None:
    wanted = select(Issue).where(condition).options(selectinload(Issue.stories))
    issue = session.scalars(wanted).one_or_none()
    return _detached(session, issue) if issue is not None else None


def _detached(session: Session, issue: Issue) -> Issue:
    for story in issue.stories:
        session.expunge(story)
    session.expunge(issue)
    return issue


def candidates(session: Session, until: datetime) -> list[Candidate]:
    """Return every story, relevant or taken in by the editor, first seen at or before `until` that no issue has told, by id.

    There is no lower bound: a story that was held, or became relevant, or whose row was committed after its issue was
    composed must reach the next one. Stories merged into another, and stories into which a told one was merged, are out.
    """
    taken = _targets_of_told(session)
    stories = [story for story in session.scalars(_untold(select(Story), until)) if story.id not in taken]
    copies = _copies(session, [story.id for story in stories], until)
    earlier = _earlier(session, {s.follow_up_of for s in stories if s.follow_up_of is not None})
    return [_candidate(story, copies[story.id], earlier) for story in stories if copies[story.id]]


def count_candidates(session: Session, until: datetime) -> int:
    """Return how many `candidates` there are, without reading their texts."""
    seen = select(Article.id).where(Article.story_id == Story.id, Article.first_seen_at <= until)
    waiting = _untold(select(Story.id), until).where(seen.correlate(Story).exists())
    return len(set(session.scalars(waiting)) - _targets_of_told(session))


def _untold(wanted: Select[Any], until: datetime) -> Select[Any]:
    return (
        wanted.where(or_(Story.relevant, Story.id.in_(_INCLUDED)))
        .where(Story.merged_into.is_(None), Story.first_seen_at <= until)
        .where(Story.id.not_in(select(IssueStory.story_id)))
        .order_by(Story.id)
    )


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A story the classifier left to the editor."""

    story_id: int
    title: str
    publisher: str
    url: str
    score: float


def doubtful(session: Session, since: datetime, until: datetime, limit: int = 100) -> list[Doubtful]:
    """Return the borderline stories first seen in (`since`, `until`] that nobody took in, likeliest first."""
    rows = session.execute(
        select(Story.id, Article.title, Article.publisher, Article.url, Article.score)
        .join(Article, Article.id == Story.representative_id)
        .where(Story.merged_into.is_(None), Story.relevant.is_(False), Story.id.not_in(_INCLUDED))
        .where(Story.first_seen_at > since, Story.first_seen_at <= until)
        .where(
            select(Article.id)
            .where(Article.story_id == Story.id, Article.borderline)
            .correlate(Story)
            .exists()
        )
        .order_by(Article.score.desc(), Story.id)
        .limit(limit)
    )
    return [
        Doubtful(story, title, publisher or "", url, score) for story, title, publisher, url, score in rows
    ]


def _targets_of_told(session: Session) -> set[int]:
    """Return the stories into which told ones were merged."""
    pairs = session.execute(select(Story.id, Story.merged_into).where(Story.merged_into.is_not(None))).all()
    into = {story: target for story, target in pairs if target is not None}
    told = set(session.scalars(select(IssueStory.story_id))) if into else set()
    found: set[int] = set()
    for story in told & into.keys():
        while (target := into.get(story)) is not None and target not in found:
            found.add(target)
            story = target  # noqa: PLW2901
    return found


def _candidate(story: Story, copies: list[Copy], earlier: dict[int, Earlier]) -> Candidate:
    chosen = story.representative_id
    ordered = sorted(
        copies, key=lambda c: (c.article_id != chosen, c.published_at or c.seen_at, c.article_id)
    )
    return Candidate(
        story.id,
        story.title,
        story.first_publisher or "",
        story.first_published_at,
        story.first_seen_at,
        story.score,
        tuple(ordered),
        earlier.get(story.follow_up_of) if story.follow_up_of is not None else None,
    )


def _copies(session: Session, story_ids: Sequence[int], until: datetime) -> dict[int, list[Copy]]:
    found: dict[int, list[Copy]] = defaultdict(list)
    for some in _batches(story_ids):
        wanted = (
            select(Article)
            .where(Article.story_id.in_(some), Article.first_seen_at <= until)
            .options(
                selectinload(Article.tags).load_only(ArticleTag.kind, ArticleTag.name, ArticleTag.role),
                selectinload(Article.source).load_only(Source.publisher),
            )
            .order_by(Article.id)
        )
        for article in session.scalars(wanted):
            found[article.story_id or 0].append(_copy(article))
    return found


def _copy(article: Article) -> Copy:
    return Copy(
        article.id,
        article.title,
        article.text,
        article.url,
        article.publisher or "",
        (article.source.publisher or "") if article.source else "",
        article.published_at,
        article.first_seen_at,
        article.relation or "",
        article.classification or {},
        tuple(article.flags or ()),
        tuple(Tag(tag.kind, tag.name, tag.role) for tag in sorted(article.tags, key=_tag_order)),
    )


def _tag_order(tag: ArticleTag) -> int:
    return tag.id


def _earlier(session: Session, story_ids: set[int]) -> dict[int, Earlier]:
    found: dict[int, Earlier] = {}
    for some in _batches(sorted(story_ids)):
        rows = session.execute(
            select(IssueStory.story_id, IssueStory.content, Issue.number, Issue.year, Issue.year_number)
            .join(Issue, Issue.id == IssueStory.issue_id)
            .where(IssueStory.story_id.in_(some))
        )
        for story_id, content, number, year, year_number in rows:
            found[story_id] = Earlier(story_id, str(content.get("title", "")), number, year, year_number)
    return found


def editor_acts(session: Session) -> list[EditorAct]:
    """Return the acts not undone that still have effect: those of no issue yet, and drops, which hold for ever."""
    rows = session.scalars(
        select(Edit)
        .where(Edit.undone_at.is_(None), Edit.issue_id.is_(None) | (Edit.kind == "drop"))
        .order_by(Edit.created_at, Edit.id)
    )
    return [
        EditorAct(e.id, e.story_id, e.kind, e.value, e.reason, e.who, e.created_at, e.issue_id) for e in rows
    ]


def source_looks(
    session: Session, since: datetime, until: datetime, zones: Sequence[str]
) -> list[SourceLook]:
    """Return for every enabled source how its visits started in (`since`, `until`] ended, and which of `zones` it ever wrote of."""
    looked: dict[int, int] = defaultdict(int)
    failed: dict[int, int] = defaultdict(int)
    reasons: dict[int, str] = {}
    crawls = session.execute(
        select(Crawl.source_id, Crawl.outcome, Crawl.reason)
        .where(Crawl.started_at > since, Crawl.started_at <= until, Crawl.outcome != "running")
        .order_by(Crawl.id)
    )
    for source_id, outcome, reason in crawls:
        (looked if outcome in {"ok", "degraded"} else failed)[source_id] += 1
        if outcome not in {"ok", "degraded"}:
            reasons[source_id] = reason or ""
    wrote = _zones_of_sources(session, zones)
    sources = session.scalars(select(Source).where(Source.enabled).order_by(Source.name))
    return [
        SourceLook(
            s.name,
            s.publisher or s.name,
            s.state,
            reasons.get(s.id) or s.last_reason or "",
            looked[s.id],
            failed[s.id],
            s.first_seen_at,
            s.last_new_at,
            frozenset(wrote[s.id]),
        )
        for s in sources
    ]


def _zones_of_sources(session: Session, zones: Sequence[str]) -> dict[int, set[str]]:
    rows = session.execute(
        select(Article.source_id, ArticleTag.name)
        .join(ArticleTag, ArticleTag.article_id == Article.id)
        .where(ArticleTag.kind == "zone", ArticleTag.name.in_(zones), Article.source_id.is_not(None))
        .distinct()
    )
    found: dict[int, set[str]] = defaultdict(set)
    for source_id, zone in rows:
        found[source_id or 0].add(zone)
    return found


def freeze(session: Session, draft: Draft) -> Issue | None:
    """Write the issue with its stories and mark the editor's acts; None when another one came first (nothing is written)."""
    newest = session.scalars(
        select(Issue).order_by(Issue.number.desc()).limit(1).options(load_only(Issue.number))
    ).one_or_none()
    if (newest.number if newest else 0) != draft.number - 1:
        return None
    issue = Issue(
        number=draft.number,
        year=draft.year,
        year_number=draft.year_number,
        period_start=draft.period_start,
        period_end=draft.period_end,
        due_at=draft.due_at,
        composed_at=draft.composed_at,
        late=draft.late,
        content=draft.content,
    )
    issue.stories = [
        IssueStory(
            story_id=s.story_id,
            section=s.section,
            rank=s.rank,
            in_full=s.in_full,
            weight=s.weight,
            content=s.content,
            said=as_searched(s.content.get("title"), s.content.get("summary")),
        )
        for s in draft.stories
    ]
    try:
        with session.begin_nested():
            session.add(issue)
            session.flush()
            if draft.edit_ids:
                session.execute(
                    update(Edit)
                    .where(Edit.id.in_(draft.edit_ids), Edit.issue_id.is_(None))
                    .values(issue_id=issue.id)
                )
    except IntegrityError:  # a second daemon was quicker: the unique keys decide
        return None
    return issue


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
