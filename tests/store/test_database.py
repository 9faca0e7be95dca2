"""Connections to a database: those that get no answer end by themselves, files are nobody else's to read."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import ArgumentError, OperationalError

from store.database import PATIENCE, among, complaint_of, explain, is_damaged, make_engine, session_scope
from store.models import Alert, PassedUrl


def test_a_server_that_takes_the_connection_and_says_nothing_counts_as_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        engine = make_engine(f"postgresql://me@127.0.0.1:{port}/news?connect_timeout=2&sslmode=disable")
        with pytest.raises(OperationalError, match="timeout"):
            engine.connect()
        engine.dispose()


def test_what_the_url_says_goes_before_the_usual_patience(postgresql_url: str) -> None:
    mark = "&" if "?" in postgresql_url else "?"
    engine = make_engine(f"{postgresql_url}{mark}keepalives_idle=77")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        said = driver.info.get_parameters()
    assert said["keepalives_idle"] == "77"
    assert said["keepalives_count"] == str(PATIENCE["keepalives_count"])
    engine.dispose()


def test_a_new_file_is_for_its_owner_only_and_one_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0)
    try:
        for path, mode in ((new, 0o600), (old, 0o640)):
            engine = make_engine(f"sqlite:///{path}")
            with engine.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE t (a)")
                made = [file for file in tmp_path.iterdir() if file.name.startswith(path.name)]
                assert len(made) == 3
                assert {file.stat().st_mode & 0o777 for file in made} == {mode}
            engine.dispose()
    finally:
        os.umask(before)


def test_a_list_of_numbers_or_texts_of_any_length_is_one_parameter(engine: Engine) -> None:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    names = ["甲", 'with "quotes"', "c,d"]
    by_name = select(PassedUrl.url_key).where(among(PassedUrl.url_key, "names"), PassedUrl.reason == "gone")
    by_number = select(Alert.id).where(among(Alert.id, "numbers")).order_by(Alert.id)
    with session_scope(engine) as session:
        session.add_all([PassedUrl(url_key=name, reason="gone", passed_at=moment) for name in names])
        session.add_all([Alert(key=name, kind="k", subject="s", raised_at=moment) for name in names])
        session.flush()
        connection = session.connection()
        for wanted in ([], names[:1], names, [*names, "another"]):
            found = connection.execute(by_name, {"names": wanted}).scalars()
            assert sorted(found) == sorted(set(wanted) & set(names))
        for numbers in ([], [2], [3, 1], list(range(2, 5_000))):
            assert connection.execute(by_number, {"numbers": numbers}).scalars().all() == sorted(
                {1, 2, 3}.intersection(numbers)
            )


def test_a_fault_is_one_line_with_the_place_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all" * 1000)
    engine = make_engine(f"sqlite:///{path}")
    with pytest.raises(OperationalError) as raised, session_scope(engine) as session:
        session.scalars(select(Alert)).all()
    said = explain(raised.value, engine.url)
    assert said.startswith(f"database {path}: file is not a database; ")
    assert "parknews restore" in said
    assert "\n" not in said
    assert is_damaged(raised.value)
    assert is_damaged(said)
    error = OperationalError("SELECT 1", {}, Exception("connection\n\trefused"))
    said = explain(error, "postgresql://me:hush@db.example.cn/news")
    assert said == "database postgresql://me:***@db.example.cn/news: connection refused"
    assert not is_damaged(said)
    assert complaint_of(ArgumentError("no such\n[SQL: SELECT hidden]")) == "no such"
