"""Erasing a person down to the bytes. SQLite leaves what was deleted in its files until something is written over it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from store.database import Engine, session_scope
from store.recipients import erase, find_recipient, normalise_address

_CHUNK = 1 << 20
#: A shorter name stands in half of all texts; searching for it would say nothing.
_SHORTEST = 2
_BUSY = "another program is reading the database; repeat the command when it has ended"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure came to: whether anything was `known`, and what `remains` in the database's files, "" for nothing."""

    known: bool
    remains: str


def erase_person(engine: Engine, address: str, now: datetime, who: str) -> Erasure:
    """Forget a person, as `store.recipients.erase`, and see to it that no byte of address or name is left in the files.

    Nothing known is no reason to skip the second part: so an erasure that a busy database cut short can be repeated. On
    PostgreSQL the server looks after its own files. Raises RecipientError for what is no address.
    """
    kept = normalise_address(address)
    with session_scope(engine) as session:
        row = find_recipient(session, kept)
        name = row.name if row is not None else ""
        known = erase(session, kept, now, who)
    return Erasure(known, wipe(engine, [word for word in (kept, name) if len(word) >= _SHORTEST]))


def wipe(engine: Engine, words: Sequence[str]) -> str:
    """Make SQLite's files hold none of `words` but in rows that are there; return what is in the way, "" for nothing.

    Cells of deleted rows are overwritten at once (`secure_delete`), but a page that was split or emptied may keep a copy: of
    140 addresses 1-3 in a test. Only when such a copy is found the file is rebuilt, which takes as long as writing it anew
    (25 s for 1.5 GB); other writers wait meanwhile.
    """
    path = engine.url.database or ""
    if engine.dialect.name != "sqlite" or path in {"", ":memory:"}:
        return ""
    files = [Path(path), Path(f"{path}-wal")]
    with closing(engine.raw_connection()) as borrowed:
        connection: Any = borrowed.driver_connection
        try:
            if not _empty_the_log(connection):
                return _BUSY
            if not _hold(files, words):
                return ""
            _rebuild(connection)
            if not _empty_the_log(connection):
                return _BUSY
        except sqlite3.Error as error:
            return f"the database file could not be rebuilt ({error}); repeat the command"
    return "the same words stand in other rows, as a name may in an article" if _hold(files, words) else ""


def _empty_the_log(connection: Any) -> bool:
    """Move everything from the write-ahead log into the database and cut the log to nothing. False while somebody reads it."""
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def _rebuild(connection: Any) -> None:
    connection.execute("PRAGMA temp_store=FILE")  # in memory the copy would take as much as the database
    try:
        connection.execute("VACUUM")
    finally:
        connection.execute("PRAGMA temp_store=MEMORY")


def _hold(files: Iterable[Path], words: Sequence[str]) -> bool:
    """Return whether any of `words` stands in any of the files; those that are not there hold nothing."""
    wanted = [word.encode("utf-8", "replace") for word in words]
    longest = max(map(len, wanted), default=0)
    for path in files:
        tail = b""
        for chunk in _chunks(path):
            seen = tail + chunk
            if any(word in seen for word in wanted):
                return True
            tail = seen[-longest:]
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        return
