"""The schema's version: brought up to date, checked, shown. Alembic without an ini file, so that it works from a wheel.

Alembic takes a tenth of a second to import, so only those functions do it that migrate, compare or write.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

from store import editors, search_index, story_buckets, story_index, story_unsettled, suppressions
from store.database import be_alone, damage
from store.models import Base

#: Modules with tables of their own; importing them makes Base.metadata whole.
TABLES = (editors, search_index, story_buckets, story_index, story_unsettled, suppressions)

#: Where the migrations lie: a package and a folder in it, or a folder's path.
MIGRATIONS = "store:migrations"
#: Held while migrating on PostgreSQL, so that two daemons starting at once do not both do it.
_LOCK = 0x7061726B


class SchemaError(RuntimeError):
    """The database's schema is not the one this code was written for."""


def _alembic(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _script() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_alembic())


@cache
def head() -> str:
    """Return the newest revision this code knows: migrations follow one another by number, which is what their files begin with."""
    package, colon, folder = MIGRATIONS.partition(":")
    place = files(package).joinpath(folder) if colon else Path(MIGRATIONS)
    names = [file.name for file in place.joinpath("versions").iterdir()]
    return max((name[:4] for name in names if name[:4].isdigit()), default="")


def current(engine: Engine) -> str | None:
    """Return the database's revision, None for an empty database."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def knows(revision: str) -> bool:
    """Return whether this code can bring a database of the schema `revision` up to date."""
    return revision in {known.revision for known in _script().walk_revisions()}


def upgrade(engine: Engine, to: str = "") -> None:
    """Bring the schema up to date, or an empty database to the earlier revision `to`; may be repeated.

    Raises SchemaError when the database is newer than the code.
    """
    from alembic import command

    script = _script()
    with engine.begin() as connection:
        be_alone(connection, _LOCK)
        revision = _revision(connection)
        _refuse_newer(script, revision)
        if revision != (to or script.get_current_head()):
            command.upgrade(_alembic(connection), to or "head")
            search_index.create(connection)


def _refuse_newer(script: ScriptDirectory, revision: str | None) -> None:
    known = {known.revision for known in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database is at schema {revision}, which this version does not know (newest here: {script.get_current_head()}); "
            "install the newer parknews that made it, or restore a backup from before the upgrade"
        )


def ensure(engine: Engine) -> None:
    """Make an empty database ready, migrate an older one, refuse a newer one (SchemaError)."""
    if current(engine) != head():
        upgrade(engine)


def is_modelled(_object: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Tell Alembic which tables to compare: not the tables of the search index, which no model describes."""
    return not (
        kind == "table" and reflected and compare_to is None and (name or "").startswith("search_index")
    )


def differences(engine: Engine) -> list[str]:
    """Return what the migrated database and the models disagree on, one line each; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": is_modelled}
        )
        return [repr(difference) for difference in compare_metadata(context, Base.metadata)]


def integrity(engine: Engine) -> list[str]:
    """Return what SQLite finds broken in its file, `integrity: …` each; empty when it is whole, and for PostgreSQL."""
    with engine.connect() as connection:
        return [f"integrity: {line}" for line in damage(connection, 5)]


def try_to_write(engine: Engine) -> None:
    """Write nothing in a transaction of its own; OperationalError when it cannot be written (owner, mode, standby, lock)."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = version_num WHERE version_num = ''"
        )


def write_revision(engine: Engine, effect: str) -> str:
    """Write a migration for what the models have beyond the database; return its path. For developers."""
    from alembic import command

    with engine.begin() as connection:
        made = command.revision(_alembic(connection), message=effect, autogenerate=True, rev_id=_next_id())
    return str(getattr(made, "path", made))


def _next_id() -> str:
    newest = head()
    return f"{int(newest or 0) + 1:04d}"
