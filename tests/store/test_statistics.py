"""The tables of statistics equal a recount by hand from the raw rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from store.models import Article, ArticleTag, Story
from store.statistics import Period, Unit, count_by_period, period_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def mixed(session: Session, make_article: Callable[..., Article]) -> Session:
    chance = random.Random(7)
    start = datetime(2025, 12, 31, 15, 0, tzinfo=UTC)
    for n in range(40):
        story = Story(
            title="t", first_seen_at=start + timedelta(days=9 * n), last_seen_at=start, relevant=n % 5 > 0
        )
        story.first_published_at = start + timedelta(hours=200 * n) if n % 3 else None
        session.add(story)
        session.flush()
        for _ in range(chance.randint(1, 3)):
            article = make_article(
                story_id=story.id, relevant=chance.random() < 0.8, first_seen_at=story.first_seen_at
            )
            article.published_at = story.first_published_at
            article.tags = [
                ArticleTag(kind=kind, name=name, role=role, field="text", start=0, end=1, text="")
                for kind, name, role in {
                    *(
                        ("zone", f"区{chance.randrange(4)}", chance.choice(("actor", "mention")))
                        for _ in range(3)
                    ),
                    *(("theme", f"题{chance.randrange(4)}", None) for _ in range(2)),
                }
            ]
            session.add(article)
    session.flush()
    session.get_one(Story, 3).merged_into = 4
    session.flush()
    return session


def recount(session: Session, by: Period, of: Unit) -> dict[tuple[str, str, str], int]:
    """Count from rows, one question at a time, in the slowest way."""
    cells: dict[tuple[str, str, str], int] = {}
    units: list[Story | Article] = list(
        session.scalars(select(Story)) if of == "stories" else session.scalars(select(Article))
    )
    for unit in units:
        if isinstance(unit, Story):
            counts = unit.relevant and unit.merged_into is None
            moment = unit.first_published_at or unit.first_seen_at
            members = [a for a in session.scalars(select(Article)) if a.story_id == unit.id and a.relevant]
        else:
            counts, members = unit.relevant, [unit]
            moment = unit.published_at or unit.first_seen_at
        if not counts:
            continue
        local = moment.astimezone(SHANGHAI)
        period = local.strftime("%Y-%m") if by == "month" else f"{local.year}Q{(local.month - 1) // 3 + 1}"
        tags = [tag for article in members for tag in article.tags]
        zones = {tag.name for tag in tags if tag.kind == "zone" and tag.role == "actor"}
        themes = {tag.name for tag in tags if tag.kind == "theme"}
        for zone in zones | {""}:
            for theme in themes | {""}:
                cells[period, zone, theme] = cells.get((period, zone, theme), 0) + 1
    return cells


@pytest.mark.parametrize("by", ["month", "quarter"])
@pytest.mark.parametrize("of", ["articles", "stories"])
def test_every_cell_and_total_equals_a_recount(mixed: Session, by: Period, of: Unit) -> None:
    counted: dict[tuple[str, str, str], int] = {}
    for table in count_by_period(mixed, by, SHANGHAI, of=of):
        counted[table.period, "", ""] = table.total
        counted |= {(table.period, zone, ""): count for zone, count in table.zones.items()}
        counted |= {(table.period, "", theme): count for theme, count in table.themes.items()}
        counted |= {(table.period, *cell): count for cell, count in table.cells.items()}
    assert counted == recount(mixed, by, of)
    assert len(counted) > 40


def test_periods_are_cut_by_the_clock_of_the_office() -> None:
    moment = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert [period_of(moment, by, SHANGHAI) for by in ("month", "quarter", "year")] == [
        "2026-01",
        "2026Q1",
        "2026",
    ]
    assert period_of(moment, "quarter", UTC) == "2025Q4"


def test_a_span_includes_its_first_moment_and_not_its_last(mixed: Session) -> None:
    moments = sorted(
        (row.published_at or row.first_seen_at)
        for row in mixed.scalars(select(Article).where(Article.relevant))
    )
    first, last = moments[5], moments[-5]
    tables = count_by_period(mixed, "year", UTC, since=first, until=last)
    assert sum(table.total for table in tables) == sum(first <= moment < last for moment in moments)


def test_an_empty_database_has_no_tables(session: Session) -> None:
    assert count_by_period(session, "month", UTC) == []
    assert session.scalar(text("SELECT count(*) FROM article")) == 0
