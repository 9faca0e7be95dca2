"""Search in articles and stories: whatever stands in them is found, inside words too, from two characters on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from sqlalchemy import ColumnElement, Select, literal_column, or_, select, text
from sqlalchemy.orm import Session, selectinload

from store import search_index
from store.database import among
from store.models import Article, ArticleTag, Source
from store.search_index import (
    MONTH,
    SOURCE,
    THEME,
    YEAR,
    ZONE,
    Clause,
    SearchText,
    fold,
    label,
    outlet_pairs,
)
from store.text import clean_line

#: Shorter words would find nearly everything and are refused.
SHORTEST_QUERY = 2
#: Words of a query that are looked at; further ones are ignored, and so are characters beyond MAX_WORD of one.
MAX_WORDS, MAX_WORD = 8, 200
#: Candidates checked at once: few at first, for most of them are right and only the newest are wanted.
_CHUNK, _LATER_CHUNK = 200, 1000
#: Candidates asked for at once.
_FIRST, _MORE, _ALL = 60, 1000, 10_000_000
#: Months looked up one by one; longer spans go by year.
_MAX_MONTHS = 24
#: Sites of one name that the index is asked for; what so many have in common most articles pass.
_MOST_SITES = 300
_EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: words that must all occur, and filters; empty ones do not filter. `since` is included, `until` not."""

    words: str = ""
    zone: str = ""
    theme: str = ""
    outlet: str = ""
    since: datetime | None = None
    until: datetime | None = None
    exact: bool = False  # the words as one string with its spaces


@dataclass(frozen=True, slots=True)
class Found:
    """An article that was found; `excerpt` is a piece of its text around the first word."""

    article_id: int
    story_id: int | None
    title: str
    url: str
    publisher: str
    site: str
    moment: datetime
    zones: tuple[str, ...]
    themes: tuple[str, ...]
    excerpt: str


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, the latest arrival first, and whether there is more."""

    found: list[Found]
    more: bool


def query_words(query: Query) -> list[str] | None:
    """Return the folded words of a query, None when one of them is too short to be looked for."""
    folded = fold(clean_line(query.words))
    words = [folded] if query.exact and folded else folded.split()[:MAX_WORDS]
    return None if any(len(word) < SHORTEST_QUERY for word in words) else [word[:MAX_WORD] for word in words]


def search_articles(
    session: Session, query: Query, limit: int = 20, offset: int = 0, *, stories: bool = False
) -> Results:
    """Return articles that hold every word and pass every filter, or with `stories` the latest one of each story.

    Exactly what a scan for the folded word in the folded title, kicker, subtitle and text would find; every character of a
    word is literal. A query with a word under two characters finds nothing.
    """
    search_index.keep_up(session)
    words = query_words(query)
    if words is None or limit < 1:
        return Results([], False)
    wanted: list[int] = []
    told: set[int] = set()
    for number, story_id in _matches(session, query, words):
        if stories and story_id is not None:
            if story_id in told:
                continue
            told.add(story_id)
        wanted.append(number)
        if len(wanted) > offset + limit:
            break
    return Results(_load(session, wanted[offset : offset + limit], words), len(wanted) > offset + limit)


def _matches(session: Session, query: Query, words: Sequence[str]) -> Iterator[tuple[int, int | None]]:
    """Yield (article, story), latest first."""
    outlet = fold(clean_line(query.outlet))[:MAX_WORD]
    sites = search_index.sources_named(session, outlet) if outlet else []
    clauses = _clauses(query, words, outlet, sites)
    if clauses is None:
        return
    conditions = _conditions(query, words)
    if outlet:
        conditions.insert(0, _named(outlet, sites))
    before: int | None = None
    for size in (_FIRST, _MORE, _ALL):
        found = search_index.candidates(session, clauses, before, size)
        start = 0
        while start < len(found):
            chunk = found[start : start + (_CHUNK if start < _LATER_CHUNK else _LATER_CHUNK)]
            yield from _checked(session, chunk, conditions)
            start += len(chunk)
        if len(found) < size:
            return
        before = found[-1]


def _checked(
    session: Session, chunk: Sequence[int], conditions: Sequence[ColumnElement[bool]]
) -> Iterator[tuple[int, int | None]]:
    rows = session.execute(
        select(Article.id, Article.story_id)
        .join(SearchText, SearchText.article_id == Article.id)
        .where(among(SearchText.article_id, "chunk"), *conditions),
        {"chunk": chunk},
    )
    right = {row.id: row.story_id for row in rows}
    yield from ((number, right[number]) for number in chunk if number in right)


def _clauses(query: Query, words: Sequence[str], outlet: str, sites: Sequence[int]) -> list[Clause] | None:
    """Return what the index is asked for, None when nothing can fulfil it."""
    clauses: list[Clause] = [[[word]] for word in words]
    for kind, name in ((ZONE, query.zone), (THEME, query.theme)):
        if name:
            clauses.append([[label(kind, name)]])
    if len(outlet) >= SHORTEST_QUERY and len(sites) <= _MOST_SITES:
        named: list[list[str]] = [[label(SOURCE, str(number))] for number in sites]
        clauses.append([outlet_pairs(outlet), *named])
    if spans := _spans(query.since, query.until):
        clauses.append([[token] for token in spans])
    elif query.since and query.until and query.since >= query.until:
        return None
    return clauses


def _spans(since: datetime | None, until: datetime | None) -> list[str]:
    """Return the tokens of the months or years between two moments; none when the span is open to both sides or empty."""
    if since is None or (until is not None and since >= until):
        return []
    first = since.astimezone(UTC)
    last = until.astimezone(UTC) if until else first.replace(year=min(first.year + 60, 9999), day=1)
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    if len(months) <= _MAX_MONTHS:
        return [label(MONTH, f"{month // 12}{month % 12 + 1:02d}") for month in months]
    if last.year - first.year > 100:
        return []
    return [label(YEAR, str(year)) for year in range(first.year, last.year + 1)]


def _conditions(query: Query, words: Sequence[str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []  # the cheap ones first: texts are read of what is left
    if query.since:
        conditions.append(SearchText.moment >= query.since)
    if query.until:
        conditions.append(SearchText.moment < query.until)
    for kind, name in ((ZONE, query.zone), (THEME, query.theme)):
        if name:
            conditions.append(search_index.is_labelled(label(kind, name)))
    return conditions + [search_index.holds(word) for word in words]


def outlet_is(session: Session, outlet: str) -> ColumnElement[bool]:
    """Return the condition on an article joined with its SearchText that its original outlet or its site is called so, in part."""
    folded = fold(outlet)[:MAX_WORD]
    return _named(folded, search_index.sources_named(session, folded))


def _named(outlet: str, sites: Sequence[int]) -> ColumnElement[bool]:
    return or_(search_index.outlet_holds(outlet), Article.source_id.in_(sites))


def stories_that_say(session: Session, word: str, among: Select[tuple[int]]) -> Select[tuple[int | None]]:
    """Return the query for those stories `among` these of which an article holds the folded `word` (two characters or more).

    Step by step by materialized parts, or PostgreSQL reads every text before it looks who is a candidate.
    """
    dialect = session.get_bind().dialect.name
    column, condition, parameters = search_index.matching(dialect, [[[word]]])
    names = {name: f"{name}_{crc32(word.encode())}" for name in parameters}
    for name, unique in names.items():
        condition = condition.replace(f":{name}", f":{unique}")
    number: ColumnElement[int] = literal_column(column)
    maybe = (
        select(number.label("number"))
        .select_from(text("search_index"))
        .where(text(condition).bindparams(**{names[name]: value for name, value in parameters.items()}))
    )
    mine = (
        select(Article.id, Article.story_id)
        .where(Article.story_id.in_(among), Article.id.in_(maybe))
        .cte(f"said_{crc32(word.encode())}")
        .prefix_with("MATERIALIZED")
    )
    return (
        select(mine.c.story_id)
        .join(SearchText, SearchText.article_id == mine.c.id)
        .where(search_index.holds(word))
    )


def zones_named(session: Session) -> list[str]:
    """Return the zones that articles are tagged with, by name."""
    names = select(ArticleTag.name).where(ArticleTag.kind == "zone").distinct().order_by(ArticleTag.name)
    return list(session.scalars(names))


def _load(session: Session, wanted: Sequence[int], words: Sequence[str]) -> list[Found]:
    rows = session.execute(
        select(Article, SearchText.folded, SearchText.moment, Source.publisher)
        .join(SearchText, SearchText.article_id == Article.id)
        .outerjoin(Source, Source.id == Article.source_id)
        .where(Article.id.in_(wanted), SearchText.article_id.in_(wanted))
        .options(selectinload(Article.tags))
    )
    by_number = {row.Article.id: _found(row, words) for row in rows}
    return [by_number[number] for number in wanted]


def _found(row: Any, words: Sequence[str]) -> Found:
    article = row.Article
    names = {
        kind: tuple(dict.fromkeys(tag.name for tag in article.tags if tag.kind == kind))
        for kind in ("zone", "theme")
    }
    return Found(
        article.id,
        article.story_id,
        article.title,
        article.url,
        article.publisher or "",
        row.publisher or "",
        row.moment,
        names["zone"],
        names["theme"],
        _excerpt(article.text, row.folded, words),
    )


def _excerpt(original: str, folded: str, words: Sequence[str]) -> str:
    """Return about 80 characters around the first word: as written where it stands so, else as folded."""
    line = " ".join(original.split())
    word = words[0] if words else ""
    at = line.lower().find(word)
    if at < 0:
        line = folded.rsplit(search_index.BREAK, 1)[-1]
        at = max(0, line.find(word))
    start = max(0, at - _EXCERPT // 4)
    return (
        ("…" if start else "")
        + line[start : start + _EXCERPT]
        + ("…" if start + _EXCERPT < len(line) else "")
    )
