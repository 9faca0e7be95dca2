"""Backups hold everything, are whole or not there, and come back on either kind of database or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from store import schema
from store.backup import BackupError, read_manifest, restore_backup, write_backup
from store.database import make_engine, session_scope
from store.models import Alert, Article, ArticleTag, Audit, Base, RawPage, Recipient, Story
from store.schema import upgrade
from store.search import Query, search_articles

HOSTILE = "換行\n\"引号' \\u0000 =cmd|' 🀄 \u2028"


def fill(engine: Engine, make_article: Callable[..., Article], now: datetime) -> None:
    with session_scope(engine) as session:
        first, second = make_article(title=HOSTILE), make_article(title="链上党建")
        first.tags = [ArticleTag(kind="zone", name="合肥高新区", field="text", start=0, end=2, text="合肥")]
        page = RawPage(url="u", kind="rss", fetched_at=now, checksum="c", size=3, body=bytes(range(256)))
        session.add_all([page, first, second])
        session.flush()
        story = Story(title="t", first_seen_at=now, last_seen_at=now, representative_id=first.id)
        session.add(story)
        session.flush()
        first.story_id = second.story_id = story.id
        follow = Story(title="f", first_seen_at=now, last_seen_at=now, follow_up_of=story.id, score=0.1)
        session.add_all(
            [follow, Recipient(address="a@b.cn", zones=["合肥高新区"], token_key="k", created_at=now)]
        )
        session.add(Audit(at=now, who="我", what="test", detail={"list": [1, None, {"a": HOSTILE}]}))


def content(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(tuple(map(repr, row)) for row in connection.execute(select(*table.columns)))
            for table in Base.metadata.sorted_tables
            if table.name != "lease"
        }


@pytest.fixture
def other(engine: Engine, make_database: Callable[[str], Engine]) -> Engine:
    """An empty database of the other kind."""
    return make_database("sqlite" if engine.dialect.name == "postgresql" else "postgresql")


def test_everything_comes_back_on_the_other_kind_of_database(
    engine: Engine, other: Engine, tmp_path: Path, make_article: Callable[..., Article], now: datetime
) -> None:
    fill(engine, make_article, now)
    manifest = write_backup(engine, tmp_path / "b", now)
    assert manifest.rows["article"] == 2
    assert restore_backup(other, tmp_path / "b").rows == manifest.rows == read_manifest(tmp_path / "b").rows
    assert content(other) == content(engine)
    with session_scope(other) as session:
        assert len(search_articles(session, Query("链上")).found) == 1
        session.add(make_article())  # its number must not be taken
        session.add(Story(title="n", first_seen_at=now, last_seen_at=now))
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(other, tmp_path / "b")
    restore_backup(other, tmp_path / "b", force=True)
    assert content(other) == content(engine)


def test_a_backup_is_private_and_replaces_nothing_unasked(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "b"
    write_backup(sqlite_engine, path, now)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(BackupError, match="there already"):
        write_backup(sqlite_engine, path, now)
    assert path.read_bytes() == before
    write_backup(sqlite_engine, path, now, replace=True)
    assert sorted(one.name for one in tmp_path.iterdir() if "part" in one.name) == []


def test_a_backup_is_of_one_moment_while_others_write(
    engine: Engine, tmp_path: Path, make_article: Callable[..., Article], now: datetime
) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with session_scope(engine) as session:  # one alert for each article, always
                session.add_all([make_article(), Alert(key="k", kind="k", subject="s", raised_at=now)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            rows = write_backup(engine, tmp_path / str(number), now).rows
            assert rows["article"] == rows["alert"]
    finally:
        stop.set()
        writer.join()
    assert rows["article"] > 0


@pytest.fixture
def backup(
    sqlite_engine: Engine, tmp_path: Path, make_article: Callable[..., Article], now: datetime
) -> Path:
    fill(sqlite_engine, make_article, now)
    write_backup(sqlite_engine, tmp_path / "b", now)
    return tmp_path / "b"


def refused(engine: Engine, path: Path, *, force: bool = False) -> str:
    before = content(engine)
    with pytest.raises(BackupError) as caught:
        restore_backup(engine, path, force=force)
    assert content(engine) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_backup_cut_anywhere_is_refused(backup: Path, second_sqlite_engine: Engine) -> None:
    whole = backup.read_bytes()
    for size in sorted({0, 1, 5, 12, len(whole) // 2, len(whole) - 9, len(whole) - 1}):
        backup.write_bytes(whole[:size])
        assert refused(second_sqlite_engine, backup)


def test_a_backup_with_a_line_missing_or_altered_is_refused(
    backup: Path, second_sqlite_engine: Engine
) -> None:
    lines = gzip.decompress(backup.read_bytes()).splitlines(keepends=True)
    for at in range(len(lines)):
        backup.write_bytes(gzip.compress(b"".join(lines[:at] + lines[at + 1 :])))
        refused(second_sqlite_engine, backup)
    altered = b"".join(lines).replace(b"a@b.cn", b"c@b.cn")
    backup.write_bytes(gzip.compress(altered))
    assert "checksum" in refused(second_sqlite_engine, backup)


def signed(lines: list[bytes]) -> bytes:
    checksum = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    return gzip.compress(b"\n".join([*lines, json.dumps({"sha256": checksum}).encode(), b""]))


@pytest.mark.parametrize("columns", [b"5", b'"id"', b"[1]", b"null"])
def test_columns_that_are_none_are_refused_in_spite_of_a_right_checksum(
    backup: Path, second_sqlite_engine: Engine, columns: bytes
) -> None:
    lines = gzip.decompress(backup.read_bytes()).splitlines()[:-1]
    at = next(number for number, line in enumerate(lines) if line.startswith(b'{"table":"article"'))
    lines[at] = b'{"table":"article","columns":' + columns + b"}"
    backup.write_bytes(signed(lines))
    with pytest.raises(BackupError, match="is damaged: a line is no row"):
        restore_backup(second_sqlite_engine, backup)


def test_a_number_that_no_database_holds_is_refused(backup: Path, second_sqlite_engine: Engine) -> None:
    lines = gzip.decompress(backup.read_bytes()).splitlines()[:-1]
    at = next(number for number, line in enumerate(lines) if line.startswith(b'{"table":"article"'))
    row = json.loads(lines[at + 1])
    row[json.loads(lines[at])["columns"].index("version")] = 10**30
    lines[at + 1] = json.dumps(row).encode()
    backup.write_bytes(signed(lines))
    with pytest.raises(BackupError, match="the database is as it was"):
        restore_backup(second_sqlite_engine, backup)


def test_what_killed_backups_left_is_removed_after_a_day_and_nothing_else(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    gone, young, foreign, other = (
        tmp_path / name for name in (".a.gz.17.part", ".b.gz.18.part", ".film.19.part", ".notes.part")
    )
    for path in (gone, young, foreign, other):
        path.write_bytes(b"film" if path == foreign else b"\x1f\x8b\x08")
        age = 3_600 if path == young else 90_000
        os.utime(path, (now.timestamp() - age,) * 2)
    write_backup(sqlite_engine, tmp_path / "c.gz", now)
    assert [path.exists() for path in (gone, young, foreign, other)] == [False, True, True, True]


@pytest.mark.parametrize(
    "content_of_file",
    [
        b"",
        b"PK\x03\x04 a word file",
        gzip.compress(b"hello\n", mtime=0),
        gzip.compress(b"{}\n", mtime=0),
        gzip.compress(b"[" * 100_000 + b"\n", mtime=0),
        gzip.compress(b"\xff\xfe\n", mtime=0),
    ],
)
def test_a_foreign_file_is_refused(
    tmp_path: Path, second_sqlite_engine: Engine, content_of_file: bytes
) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content_of_file)
    assert str(path) in refused(second_sqlite_engine, path)


def test_a_full_disk_during_a_restore_leaves_the_database_as_it_was(
    backup: Path, sqlite_engine: Engine, tmp_path: Path, make_article: Callable[..., Article], now: datetime
) -> None:
    with session_scope(sqlite_engine) as session:
        chinese = "".join(chr(0x4E00 + n % 20_000) for n in range(60_000))
        session.add_all([make_article(text=chinese[n * 900 :]) for n in range(20)])
    write_backup(sqlite_engine, backup, now, replace=True)
    small = make_engine(f"sqlite:///{tmp_path / 'small.db'}")
    Base.metadata.create_all(small)
    with session_scope(small) as session:
        session.add(make_article(title="was there"))
    with small.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 20}")
    assert "full" in refused(small, backup, force=True)
    small.dispose()


def test_a_damaged_database_is_not_backed_up(
    tmp_path: Path, make_article: Callable[..., Article], now: datetime
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'bad.db'}")
    Base.metadata.create_all(engine)
    with session_scope(engine) as session:
        session.add_all([make_article(text="正文" * 3000) for _ in range(30)])
    engine.dispose()
    with sqlite3.connect(tmp_path / "bad.db") as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()
    size = (tmp_path / "bad.db").stat().st_size
    with (tmp_path / "bad.db").open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096 * 8))
    with pytest.raises(BackupError, match=r"damaged|malformed"):
        write_backup(engine, tmp_path / "b", now)
    assert not (tmp_path / "b").exists()
    assert [one for one in tmp_path.iterdir() if "part" in one.name] == []


def test_a_folder_that_is_not_there_or_no_folder_is_named(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "b", tmp_path / "file" / "b"):
        with pytest.raises(BackupError, match="cannot be written"):
            write_backup(sqlite_engine, path, now)


def test_a_full_device_is_said(
    sqlite_engine: Engine, now: datetime, tmp_path: Path, make_article: Callable[..., Article]
) -> None:
    """A file-size limit of the process stands for the full disk: writing fails in the middle, as there."""
    import resource
    import signal

    with session_scope(sqlite_engine) as session:
        session.add(
            RawPage(url="u", kind="rss", fetched_at=now, checksum="c", size=3, body=os.urandom(300_000))
        )
    sqlite_engine.dispose()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(BackupError, match="cannot be written"):
            write_backup(sqlite_engine, tmp_path / "b", now)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith((".b", "b"))] == []


def test_a_migrated_database_can_be_restored_into(
    backup: Path, tmp_path: Path, sqlite_engine: Engine
) -> None:
    fresh = make_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade(fresh)
    restore_backup(fresh, backup)
    assert content(fresh) == content(sqlite_engine)
    fresh.dispose()


LATER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{before}", None, None


def upgrade() -> None:
    op.execute(sa.text("UPDATE article SET publisher = '据' || title"))
"""


@pytest.fixture
def a_later_version(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Give the code one more migration, as the next version would have until the test ends."""
    usual = schema.MIGRATIONS

    def install() -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(Path(schema.__file__).parent / "migrations", folder)
        (folder / "versions" / "9999_later.py").write_text(
            LATER.format(before=schema.head()), encoding="utf-8"
        )
        use(str(folder))

    def use(folder: str) -> None:
        schema.MIGRATIONS = folder
        schema.head.cache_clear()

    yield install
    use(usual)


def test_a_backup_of_an_earlier_schema_goes_through_the_migrations(
    backup: Path, tmp_path: Path, sqlite_engine: Engine, a_later_version: Callable[[], None]
) -> None:
    before = content(sqlite_engine)
    a_later_version()
    fresh = make_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade(fresh)
    assert restore_backup(fresh, backup).schema == "9999"
    after = content(fresh)
    with session_scope(fresh) as session:
        said = session.execute(select(Article.publisher, Article.title)).all()
        assert search_articles(session, Query("链上党建")).found
    assert said
    assert all(publisher == f"据{title}" for publisher, title in said)
    for table in before.keys() - {"article", "search_text"}:
        assert after[table] == before[table]
    fresh.dispose()


def test_a_backup_of_a_later_schema_is_refused(sqlite_engine: Engine, backup: Path) -> None:
    lines = gzip.decompress(backup.read_bytes()).splitlines(keepends=True)
    body = b"".join(lines[:-1]).replace(f'"schema":"{schema.head()}"'.encode(), b'"schema":"9999"', 1)
    checksum = json.dumps({"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n"
    backup.write_bytes(gzip.compress(body + checksum))
    with pytest.raises(BackupError, match="later than this parknews"):
        restore_backup(sqlite_engine, backup, force=True)
