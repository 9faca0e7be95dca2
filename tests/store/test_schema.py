"""The schema: made from nothing, equal to the models, refused when newer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from store.database import make_engine
from store.schema import SchemaError, _alembic, current, differences, head, upgrade
from tests.databases import emptied


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        engine = emptied(request.getfixturevalue("postgresql_url"))
    yield engine
    engine.dispose()


def test_the_migrations_make_what_the_models_say(empty: Engine) -> None:
    assert current(empty) is None
    upgrade(empty)
    upgrade(empty)
    assert current(empty) == head()
    assert differences(empty) == []


def test_the_newest_revision_is_known_without_alembic(empty: Engine) -> None:
    with empty.connect() as connection:
        assert head() == ScriptDirectory.from_config(_alembic()).get_current_head()
        assert MigrationContext.configure(connection).get_current_revision() is None
    upgrade(empty)
    mine = current(empty)
    with empty.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == mine
    code = "import sys, store.schema; print(store.schema.head(), 'alembic' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.split() == [head(), "False"]


def test_a_database_newer_than_the_code_is_refused(empty: Engine) -> None:
    upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="newer parknews"):
        upgrade(empty)
