"""Engines and transactions, and what several modules need of which SQLite and PostgreSQL have a different word each.

Write transactions on SQLite begin IMMEDIATE: a deferred BEGIN that reads first and writes later fails at once under
concurrency in spite of `busy_timeout` (58-61 % of transactions in a two-process test), an immediate one waits.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    ExceptionContext,
    Integer,
    Text,
    bindparam,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import QueryableAttribute, Session, configure_mappers
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

#: What the other packages may name of the database library.
__all__ = [
    "PATIENCE",
    "Connection",
    "DatabaseUnavailable",
    "Engine",
    "JsonValue",
    "OperationalError",
    "SQLAlchemyError",
    "Session",
    "UtcDateTime",
    "among",
    "complaint_of",
    "configure_mappings",
    "explain",
    "is_damaged",
    "make_engine",
    "place_of",
    "read_scope",
    "session_scope",
    "snapshot",
]

_READ = "parknews_read"
#: Seconds a writer waits for another one before "database is locked" is raised.
BUSY_SECONDS = 30
#: How soon a PostgreSQL counts as gone that answers nothing (seconds; the last one milliseconds): by default that takes hours.
#: What the database's URL says itself goes before.
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


#: What databases say of a fault that has nothing to do with the program, and the way out.
_RESTORE = (
    "stop the daemon, move the file away with its -wal and -shm, and `parknews restore` the latest backup"
)
_WAYS_OUT = {
    "malformed": f"the file is damaged; {_RESTORE}",
    "not a database": f"the file is damaged or is something else; {_RESTORE}",
    "disk is full": "nothing was half-written; make room",
    "disk I/O error": "the disk fails or is full; nothing was half-written",
    "readonly database": "make the file and its folder writable for this user",
    "unable to open": "make the file and its folder readable and writable for this user",
    "database is locked": f"another program has kept the file for {BUSY_SECONDS} seconds; end it",
}


class DatabaseUnavailable(RuntimeError):
    """The database cannot be opened; the message names what is in the way."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC. Refuses naive datetimes; gives back aware ones in UTC on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"naive datetime {value!r}: give it a time zone"
            raise ValueError(msg)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonValue(TypeDecorator[Any]):
    """A JSON value: JSONB on PostgreSQL, text on SQLite. A decorator, because Alembic writes `with_variant` wrongly."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())


class _Listed(TypeDecorator[Collection[Any]]):
    """Values of a type as one parameter: an array on PostgreSQL, a JSON list on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.of) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        assert value is not None
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class among(ColumnElement[bool]):  # noqa: N801
    """The condition that a column (numbers or text) is one of the values given as the parameter `name`.

    The statement is the same for any count of them: an expanding IN is written anew each time, at the price of a statement.
    """

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012
        ("column", InternalTraversal.dp_clauseelement),
        ("listed", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any] | QueryableAttribute[Any], name: str) -> None:
        self.column = column.expression
        self.listed = bindparam(name, type_=_Listed(column.type))

    def self_group(self, against: OperatorType | None = None) -> among:  # noqa: ARG002
        return self  # it is a condition already; compared with 1 it would be none that an index answers


@compiles(among)
def _among_array(element: among, compiler: Any, **given: Any) -> str:
    return f"{compiler.process(element.column, **given)} = ANY({compiler.process(element.listed, **given)})"


@compiles(among, "sqlite")
def _among_json(element: among, compiler: Any, **given: Any) -> str:
    column, listed = (compiler.process(part, **given) for part in (element.column, element.listed))
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608


class position(FunctionElement[int]):  # noqa: N801
    """Where in a text another one begins, from 1; 0 when it does not."""

    type = Integer()
    inherit_cache = True


@compiles(position)
def _strpos(element: position, compiler: Any, **given: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **given)})"


@compiles(position, "sqlite")
def _instr(element: position, compiler: Any, **given: Any) -> str:
    return f"instr({compiler.process(element.clauses, **given)})"


def make_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///PATH` or `postgresql://…`; the folder of a SQLite file is made if missing.

    Raises `sqlalchemy.exc.ArgumentError` for a URL that is none. Raises DatabaseUnavailable when that cannot be done.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        patience = {name: value for name, value in PATIENCE.items() if name not in parsed.query}
        return create_engine(parsed, pool_pre_ping=True, json_serializer=_dumps, connect_args=patience)
    if parsed.database and parsed.database != ":memory:":
        _make_folder(Path(parsed.database).parent)
    engine = create_engine(parsed, json_serializer=_dumps)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _note_damage)
    return engine


def place_of(url: str | URL) -> str:
    """Return a SQLite database's path, another one's address without the password."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return str(parsed.database) if is_file else parsed.render_as_string()


def complaint_of(error: BaseException) -> str:
    """Return in one line what a database complains of: the driver's words, without our statement and its values."""
    words = str(getattr(error, "orig", None) or error)
    return " ".join(words.partition("\n[SQL:")[0].partition("\n(Background")[0].split())


def explain(error: Exception, url: str | URL) -> str:
    """Return in one line what the database at `url` complains of, where it is, and the way out where one is known."""
    line = complaint_of(error)
    ways = [way for words, way in _WAYS_OUT.items() if words in line]
    return "; ".join([f"database {place_of(url)}: {line}", *ways[:1]])


def is_damaged(error: Exception | str) -> bool:
    """Return whether an error, or what `explain` made of it, means a damaged file, which no waiting mends."""
    return any(words in str(error) for words in ("malformed", "not a database"))


def configure_mappings() -> None:
    """Do now what the first query of a process would: for one that forks. The models must have been imported."""
    configure_mappers()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"the database's folder {folder} cannot be made: {error.strerror}; choose another [database] url"
        ) from error


def _make_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Make a new file readable for its owner only: it holds whom the digest goes to. An empty file is an empty database.

    The logs beside it get its permissions from SQLite. What cannot be made is SQLite's to complain about.
    """
    path = str(arguments[0])
    if path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _note_damage(context: ExceptionContext) -> OperationalError | None:
    """Make of a damaged file what it is, a fault of the database's operation: the driver has no class for it."""
    if type(context.original_exception) is not sqlite3.DatabaseError:
        return None
    return OperationalError(context.statement, context.parameters, context.original_exception)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would be a deferred one
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "secure_delete=FAST",  # costs nothing measurable; ON trebled the time of deleting articles
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    reading = connection.get_execution_options().get(_READ)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def upsert(session: Session, table: type[Any]) -> Any:
    """Return an INSERT into a model's table that can say what happens to a row that is there (`on_conflict_do_update`)."""
    return (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(table)


def be_alone(connection: Connection, number: int) -> None:
    """Wait until no other transaction does what goes by `number`, and let none until this one ends. SQLite's writers always do."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")


def damage(connection: Connection, most: int) -> list[str]:
    """Return up to `most` things SQLite finds broken in its file; nothing when it is whole, and for PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return []
    found = connection.exec_driver_sql(f"PRAGMA quick_check({most})").scalars().all()
    return [line for line in found if line != "ok"]


@contextmanager
def quick_commits(connection: Connection) -> Iterator[None]:
    """Let SQLite commit without waiting for the disk: a power failure may undo the latest commits, nothing else may."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        raw.execute("PRAGMA synchronous=FULL")


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """One write transaction: committed at the end, rolled back on any exception. Keep it short; no network inside."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read_scope(engine: Engine) -> Iterator[Session]:
    """One read-only view of the database that never waits for a writer; what was loaded stays readable afterwards."""
    with Session(engine.execution_options(**{_READ: True}), expire_on_commit=False) as session:
        yield session
        session.expunge_all()
        session.rollback()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the database as it was at one moment, however long the reading takes; writers go on."""
    options: dict[str, Any] = {_READ: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.execution_options(**options).connect() as connection:
        yield connection
        connection.rollback()
