"""Backup and restore: everything that is kept in one compressed file of JSON lines, the same for both kinds of database.

The file is written from one snapshot while others write, read back and compared before it gets its name, and carries a
checksum over every line. A restore reads the whole file before it touches the database and runs in one transaction. What
can be worked out again (the search index) or holds for one process only (leases) is left out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from store import search_index
from store.database import UtcDateTime, complaint_of, damage, make_engine, snapshot
from store.models import Base
from store.schema import TABLES, head, knows, upgrade
from store.whole_file import PART_NAME, appearing

FORMAT, VERSION = "parknews backup", 1
#: Worked out again, or of no use to another process.
LEFT_OUT = {"search_text", "lease"}
#: Longest line taken; a raw page of 40 MB is 54 MB here.
MAX_LINE = 256 * 2**20
_ROWS_AT_ONCE = 200
#: What files that are being written begin with, and after which time nobody writes them any more.
_GZIP, _LEFTOVER_SECONDS = b"\x1f\x8b", 86_400


class BackupError(RuntimeError):
    """A backup that cannot be written, read or restored; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself; `rows` counts per table."""

    schema: str
    made_at: str
    database: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """Rows of all tables."""
        return sum(self.rows.values())


def _tables() -> list[Table]:
    assert TABLES  # their import makes the metadata whole
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def write_backup(engine: Engine, path: Path, now: datetime, *, replace: bool = False) -> Manifest:
    """Write everything into `path` (mode 0600) and return what is in it. Others may write to the database meanwhile.

    The file appears under its name only when it is whole and was read back. Raises BackupError when that cannot be done
    (file there already, folder not writable, disk full, database damaged).
    """
    if path.exists() and not replace:
        raise BackupError(f"{path} is there already; choose another name or add --force")
    try:
        with appearing(path) as part:
            _remove_leftovers(path.parent, now)
            _write_file(engine, part, now)
            manifest = read_manifest(part)
        _sync_folder(path.parent)
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror or error}; nothing was changed"
        ) from error
    except SQLAlchemyError as error:
        raise BackupError(
            f"the database cannot be read: {complaint_of(error)}; no backup was written"
        ) from error
    return manifest


def _remove_leftovers(folder: Path, now: datetime) -> None:
    """Delete what backups that were killed left in the folder a day ago or more: it holds addresses."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            old = part.stat().st_mtime < now.timestamp() - _LEFTOVER_SECONDS
            if old and PART_NAME.fullmatch(part.name) and _begins(part) in {b"", _GZIP}:
                part.unlink()


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_GZIP))


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write_file(engine: Engine, part: Path, now: datetime) -> None:
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "wb") as raw:
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, snapshot(engine) as connection:
            _check_pages(connection)
            _write_lines(connection, packed, now)
        raw.flush()
        os.fsync(raw.fileno())


def _check_pages(connection: Connection) -> None:
    """Refuse a SQLite file with damaged pages: rows might be missing without an error."""
    for line in damage(connection, 1):
        raise BackupError(f"the database is damaged ({line}); no backup was written: restore the latest one")


def _write_lines(connection: Connection, packed: gzip.GzipFile, now: datetime) -> None:
    checksum = hashlib.sha256()

    def write(value: object) -> None:
        line = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
        checksum.update(line)
        packed.write(line)

    write(
        {
            "format": FORMAT,
            "version": VERSION,
            "schema": head(),
            "made_at": now.isoformat(),
            "database": connection.dialect.name,
        }
    )
    rows: dict[str, int] = {}
    for table in _tables():
        write({"table": table.name, "columns": [column.name for column in table.columns]})
        rows[table.name] = 0
        for row in _rows(connection, table):
            write(row)
            rows[table.name] += 1
    write({"rows": rows})
    packed.write(json.dumps({"sha256": checksum.hexdigest()}).encode("ascii") + b"\n")


def _rows(connection: Connection, table: Table) -> Iterator[list[Any]]:
    writers = [_writer(column) for column in table.columns]
    found = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE).execute(
        select(*table.columns).order_by(*table.primary_key.columns)
    )
    for row in found:
        yield [write(value) for write, value in zip(writers, row, strict=True)]


def _writer(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, UtcDateTime):
        return lambda value: value and value.isoformat()
    if isinstance(column.type, LargeBinary):
        return lambda value: value if value is None else base64.b64encode(value).decode("ascii")
    return lambda value: value


def _reader(column: Column[Any], *, drop_nul: bool) -> Callable[[Any], Any]:
    if isinstance(column.type, UtcDateTime):
        return lambda value: value and datetime.fromisoformat(value)
    if isinstance(column.type, DateTime):  # of an earlier schema's file, which keeps UTC
        return lambda value: value and datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    if isinstance(column.type, LargeBinary):
        return lambda value: value if value is None else base64.b64decode(value, validate=True)
    if drop_nul:
        return _without_nul
    return lambda value: value


def _without_nul(value: Any) -> Any:
    """PostgreSQL refuses the character NUL in texts, which SQLite keeps."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def read_manifest(path: Path) -> Manifest:
    """Read the whole file and return what it holds. Raises BackupError when it is no backup, torn or altered."""
    for manifest in _parse(path, lambda _table, _columns, _row: None):
        return manifest
    raise BackupError(f"{path} is empty")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as packed:
            while line := packed.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    raise BackupError(f"{path} is torn in the middle of a line")
                yield line
    except (EOFError, zlib.error) as error:
        raise BackupError(f"{path} is torn or damaged: the backup was not written to its end") from error
    except gzip.BadGzipFile as error:
        raise BackupError(f"{path} is no parknews backup, or it is damaged") from error
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error


def _parse(path: Path, take: Callable[[str, list[str], list[Any]], None]) -> Iterator[Manifest]:
    """Hand every row to `take`; yield the manifest once the checksum was found right."""
    lines, checksum = _lines(path), hashlib.sha256()
    header: dict[str, Any] | None = None
    table = ""
    columns: list[str] = []
    rows: dict[str, int] = {}
    promised: dict[str, int] | None = None
    for line in lines:
        value = _value(path, line)
        if isinstance(value, dict) and "sha256" in value:
            if (
                header is None
                or promised != rows
                or value["sha256"] != checksum.hexdigest()
                or next(lines, None)
            ):
                raise BackupError(f"{path} is damaged: its checksum does not fit its content")
            yield Manifest(header["schema"], header["made_at"], header["database"], rows)
            return
        checksum.update(line)
        if header is None:
            header = _header(path, value)
        elif isinstance(value, list) and table and len(value) == len(columns):
            take(table, columns, value)
            rows[table] += 1
        elif isinstance(value, dict) and _begins_table(value):
            table, columns = value["table"], value["columns"]
            rows[table] = 0
        elif isinstance(value, dict) and "rows" in value:
            promised = value["rows"]
        else:
            raise BackupError(f"{path} is damaged: a line is no row of {table or 'a table'}")
    raise BackupError(f"{path} is torn: its end is missing")


def _begins_table(value: dict[str, Any]) -> bool:
    columns = value.get("columns")
    return (
        isinstance(value.get("table"), str)
        and isinstance(columns, list)
        and all(isinstance(name, str) for name in columns)
    )


def _value(path: Path, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BackupError(f"{path} is no parknews backup, or it is damaged") from error


def _header(path: Path, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise BackupError(f"{path} is no parknews backup")
    if value.get("version") != VERSION:
        raise BackupError(f"{path} was written by another version of the format: {value.get('version')}")
    if not all(isinstance(value.get(key), str) for key in ("schema", "made_at", "database")):
        raise BackupError(f"{path} is damaged: its first line is not whole")
    return value


def restore_backup(engine: Engine, path: Path, *, force: bool = False) -> Manifest:
    """Put the backup's rows into the database, whose schema is up to date; return what was put in.

    The database must be empty unless `force` says that its rows are to be replaced. All or nothing: on any fault the database
    is as it was. A backup of an earlier schema is first brought up to date in a file of its own (in TMPDIR). Raises BackupError.
    """
    manifest = read_manifest(path)
    if manifest.schema != head() and knows(manifest.schema):
        with tempfile.TemporaryDirectory(prefix="parknews-") as folder:
            return restore_backup(engine, _renewed(path, manifest, Path(folder)), force=force)
    _fits(path, manifest)
    try:
        with Session(engine) as session, session.begin():
            connection = session.connection()
            if not force and (filled := _filled(connection)):
                raise BackupError(
                    f"the database is not empty ({filled} has rows); add --force to replace what is there"
                )
            with _late_keys(connection):
                _empty(connection)
                _fill(connection, path, {table.name: table for table in _tables()})
                if connection.dialect.name == "postgresql":
                    _advance_sequences(connection)
            search_index.rebuild(session)
    except SQLAlchemyError as error:
        raise BackupError(
            f"the backup could not be restored: {complaint_of(error)}; the database is as it was"
        ) from error
    except (ValueError, TypeError, OverflowError) as error:
        raise BackupError(
            f"{path} holds a value that is none ({error}); the database is as it was"
        ) from error
    return manifest


def _renewed(path: Path, manifest: Manifest, folder: Path) -> Path:
    """Return a backup of today's schema with the rows of an earlier one, made by the migrations in a SQLite file in `folder`."""
    engine = make_engine(f"sqlite:///{folder / 'earlier.db'}")
    try:
        upgrade(engine, manifest.schema)
        earlier = MetaData()
        earlier.reflect(engine)
        with engine.begin() as connection, _late_keys(connection):
            _fill(connection, path, dict(earlier.tables))
        upgrade(engine)
        write_backup(engine, folder / "renewed.gz", datetime.fromisoformat(manifest.made_at))
    except (SQLAlchemyError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise BackupError(
            f"{path} of schema {manifest.schema} cannot be brought up to date: {error}; the database is as it was"
        ) from error
    finally:
        engine.dispose()
    return folder / "renewed.gz"


def _fits(path: Path, manifest: Manifest) -> None:
    if manifest.schema != head():
        raise BackupError(
            f"{path} was made at schema {manifest.schema}, which is later than this parknews ({head()}); restore it with the "
            "version that made it"
        )
    unknown = sorted(set(manifest.rows) - {table.name for table in _tables()})
    if unknown:
        raise BackupError(f"{path} holds a table this parknews does not know: {unknown[0]}")


def _filled(connection: Connection) -> str:
    for table in _tables():
        if connection.execute(select(func.count()).select_from(table)).scalar():
            return table.name
    return ""


class _late_keys:  # noqa: N801
    """Foreign keys are checked at the end: stories and articles name each other."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.keys = [
            (table.name, key.name)
            for table in (_tables() if connection.dialect.name == "postgresql" else ())
            for key in table.foreign_key_constraints
        ]

    def __enter__(self) -> None:
        if self.connection.dialect.name == "sqlite":
            self.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            return
        self._alter("DEFERRABLE")
        self.connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")

    def __exit__(self, kind: object, *_: object) -> None:
        if self.connection.dialect.name == "postgresql" and kind is None:
            self.connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            self._alter("NOT DEFERRABLE")

    def _alter(self, how: str) -> None:
        for table, key in self.keys:
            self.connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER CONSTRAINT "{key}" {how}')


def _empty(connection: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(table.delete())


def _fill(connection: Connection, path: Path, tables: Mapping[str, Table]) -> None:
    waiting: list[dict[str, Any]] = []
    at: list[str] = [""]
    readers: dict[str, Callable[[Any], Any]] = {}
    drop_nul = connection.dialect.name == "postgresql"

    def put() -> None:
        if waiting:
            connection.execute(insert(tables[at[0]]), waiting)
            waiting.clear()

    def take(table: str, columns: list[str], row: list[Any]) -> None:
        if table != at[0] or len(waiting) >= _ROWS_AT_ONCE:
            put()
        if table != at[0]:
            at[0] = table
            readers.clear()
            readers.update(_readers(path, tables[table], columns, drop_nul=drop_nul))
        waiting.append({name: readers[name](value) for name, value in zip(columns, row, strict=True)})

    for _ in _parse(path, take):
        put()


def _readers(
    path: Path, table: Table, columns: list[str], *, drop_nul: bool
) -> dict[str, Callable[[Any], Any]]:
    unknown = [name for name in columns if name not in table.columns]
    if unknown:
        raise BackupError(f"{path} holds a column this parknews does not know: {table.name}.{unknown[0]}")
    return {name: _reader(table.columns[name], drop_nul=drop_nul) for name in columns}


def _advance_sequences(connection: Connection) -> None:
    for table in _tables():
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        ).scalar()
        highest = connection.execute(select(func.max(column))).scalar()
        if sequence and highest:
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :value)"), {"name": sequence, "value": highest}
            )
