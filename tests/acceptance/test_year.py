"""Eight weeks of use with the clock moved: every Monday an issue that reaches everybody, and what is kept stays bounded."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from store.backup import restore_backup
from store.database import make_engine, read_scope
from store.models import Base, Delivery, Issue
from store.schema import upgrade
from tests.bench.bench_year import Scale, Year, growth

WEEKS = 8
SCALE = Scale(articles=14, sources=2, visits=1, recipients=2, page_bytes=8_000, kept=21, pages_kept=14)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    lived = Year(tmp_path_factory.mktemp("year"), SCALE)
    for _ in range(WEEKS):
        lived.week()
    return lived


def test_each_week_has_its_issue_and_each_recipient_gets_it_once(year: Year) -> None:
    with read_scope(year.installation.engine) as session:
        numbers = session.scalars(select(Issue.number).order_by(Issue.number)).all()
        sent = session.execute(select(Delivery.issue_id, Delivery.recipient_id, Delivery.state)).all()
    assert list(numbers) == list(range(1, WEEKS + 1))
    assert len(sent) == len(set(sent)) == WEEKS * SCALE.recipients
    assert {state for *_, state in sent} == {"sent"}


def test_what_only_looks_back_is_bounded_and_what_was_published_stays(year: Year) -> None:
    visits = SCALE.sources * SCALE.visits  # a day
    for name in ("crawl", "passed_url"):
        assert year.rows[4][name] == year.rows[-1][name] == visits * (SCALE.kept + 1)
    assert year.rows[-1]["raw_page"] <= 1.3 * year.rows[2]["raw_page"]
    assert year.rows[-1]["article"] >= WEEKS * SCALE.articles


def test_the_database_grows_evenly_and_the_process_hardly(year: Year) -> None:
    early, late = year.sizes[4] - year.sizes[2], year.sizes[-1] - year.sizes[-3]
    assert late <= 1.5 * early
    assert growth(year.memory) < 0.15


def test_the_last_backup_restores_to_the_same_rows(year: Year, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'again.db'}")
    upgrade(engine)
    manifest = restore_backup(engine, year.folder / "backup.gz")
    counts = year.count()
    assert {name: manifest.rows[name] for name in counts} == counts
    assert set(manifest.rows) <= set(Base.metadata.tables)
    engine.dispose()
