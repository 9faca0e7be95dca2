"""Counts by period, zone and theme: how much there was of what, where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.models import Article, ArticleTag, Story

Period = Literal["month", "quarter", "year"]
Unit = Literal["articles", "stories"]


@dataclass(slots=True)
class Table:
    """One period. `cells` counts units that have the zone and the theme; a unit with two themes is in two cells but once in
    its zone's total, so totals are not the sums of cells.
    """

    period: str  # 2026-11, 2026Q4 or 2026
    total: int = 0
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)

    def add(self, zones: Iterable[str], themes: Iterable[str]) -> None:
        """Count one unit."""
        zones, themes = set(zones), set(themes)
        self.total += 1
        self.zones.update(zones)
        self.themes.update(themes)
        self.cells.update((zone, theme) for zone in zones for theme in themes)


def period_of(moment: datetime, by: Period, zone: tzinfo) -> str:
    """Return the name of the period a moment lies in, by the clock of `zone`."""
    local = moment.astimezone(zone)
    if by == "month":
        return f"{local:%Y-%m}"
    return f"{local.year}Q{(local.month + 2) // 3}" if by == "quarter" else f"{local.year}"


def count_by_period(
    session: Session,
    by: Period,
    zone: tzinfo,
    *,
    of: Unit = "articles",
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Table]:
    """Return one table for each period in which there is something, oldest first.

    Counted are relevant articles, or with `of="stories"` relevant stories (not those that were merged into another); an
    article counts for its published time, a story for its first published time, either for its first sight without one.
    Zones are those that act (not those only mentioned); a story has the zones and themes of all its relevant articles.
    """
    moments = _article_moments(session) if of == "articles" else _story_moments(session)
    zones, themes = _tags(session, of)
    tables: dict[str, Table] = {}
    for unit, moment in moments:
        if (since and moment < since) or (until and moment >= until):
            continue
        name = period_of(moment, by, zone)
        tables.setdefault(name, Table(name)).add(zones[unit], themes[unit])
    return [tables[name] for name in sorted(tables)]


def _article_moments(session: Session) -> list[tuple[int, datetime]]:
    rows = session.execute(
        select(Article.id, Article.published_at, Article.first_seen_at).where(Article.relevant)
    )
    return [(number, published or seen) for number, published, seen in rows]


def _story_moments(session: Session) -> list[tuple[int, datetime]]:
    rows = session.execute(
        select(Story.id, Story.first_published_at, Story.first_seen_at).where(
            Story.relevant, Story.merged_into.is_(None)
        )
    )
    return [(number, published or seen) for number, published, seen in rows]


def _tags(session: Session, of: Unit) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    unit = Article.id if of == "articles" else Article.story_id
    zones: dict[int, set[str]] = defaultdict(set)
    themes: dict[int, set[str]] = defaultdict(set)
    rows = session.execute(
        select(unit, ArticleTag.kind, ArticleTag.role, ArticleTag.name)
        .join(Article, Article.id == ArticleTag.article_id)
        .where(Article.relevant, unit.is_not(None))
    )
    for number, kind, role, name in rows:
        if number is None:
            continue
        if kind == "theme":
            themes[number].add(name)
        elif role != "mention":
            zones[number].add(name)
    return zones, themes
