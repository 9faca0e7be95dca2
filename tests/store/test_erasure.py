"""What is left of an erased person in the very bytes of SQLite's files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from store import erasure
from store.alerts import raise_alert
from store.config import RecipientEntry
from store.database import read_scope, session_scope
from store.erasure import erase_person, wipe
from store.models import Alert, Article
from store.recipients import RecipientError, add_recipient, erase, find_recipient, set_preferences


def left(folder: Path, *words: str) -> list[str]:
    """Return those of `words` that stand anywhere in the database's file, its log or beside them."""
    written = b"".join(path.read_bytes() for path in sorted(folder.glob("test.db*")))
    return [word for word in words if word.encode() in written]


def _set(pragma: str) -> Callable[[Any, object], None]:
    def set_it(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    return set_it


def churn(engine: Engine, now: datetime, people: int, seed: int) -> dict[str, str]:
    """Add people with long and changing wishes, so that pages are split and rows move; return names by address."""
    chance = Random(seed)
    names = {
        f"person{n}.{chance.randrange(10**6)}@example.cn": f"第{n}位{chance.randrange(10**6)}"
        for n in range(people)
    }
    known: list[str] = []
    for start in range(0, people, 10):
        with session_scope(engine) as session:
            for address in list(names)[start : start + 10]:
                add_recipient(session, RecipientEntry(address, name=names[address]), now, "test")
                known.append(address)
            for address in chance.sample(known, min(8, len(known))):
                row = find_recipient(session, address)
                assert row is not None
                zones = [f"某某高新区第{n}号" for n in range(chance.randrange(60))]
                set_preferences(session, row, {"zones": zones}, now)
    return names


def test_no_byte_of_the_erased_is_left_in_file_and_log(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    """Also in a file that was written before the setting, or by a SQLite that does not heed it."""
    event.listen(sqlite_engine, "connect", _set("secure_delete=OFF"))
    sqlite_engine.dispose()
    names = churn(sqlite_engine, now, 120, seed=1)
    gone = Random(2).sample(sorted(names), 60)
    with session_scope(sqlite_engine) as session:
        for address in gone:
            erase(session, address, now, "test")
    words = [*gone, *(names[address] for address in gone)]
    with sqlite_engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        connection.exec_driver_sql("COMMIT")
        assert erasure._empty_the_log(raw)
    assert len(left(tmp_path, *words)) > 20  # else this test would show nothing
    assert wipe(sqlite_engine, words) == ""
    assert left(tmp_path, *words) == []
    stays = sorted(set(names) - set(gone))
    assert left(tmp_path, *stays) == stays


def test_one_person_is_erased_by_one_call_however_often(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    churn(sqlite_engine, now, 20, seed=3)
    with session_scope(sqlite_engine) as session:
        add_recipient(session, RecipientEntry("zhang@example.cn", name="张三丰"), now, "test")
        raise_alert(session, "delivery_stopped", "mail", "550 <Zhang@Example.cn>: no such user", now)
    done = erase_person(sqlite_engine, "Zhang@example.cn", now, "test")
    assert (done.known, done.remains) == (True, "")
    assert left(tmp_path, "zhang@example.cn", "Zhang@Example.cn", "张三丰") == []
    with read_scope(sqlite_engine) as session:
        assert session.scalars(select(Alert.detail)).all() == ["550 <…>: no such user"]
    done = erase_person(sqlite_engine, "zhang@example.cn", now, "test")
    assert (done.known, done.remains) == (False, "")
    with pytest.raises(RecipientError):
        erase_person(sqlite_engine, "nobody", now, "test")


def test_a_reader_in_the_way_is_named_and_the_erasure_can_be_repeated(
    sqlite_engine: Engine, tmp_path: Path, now: datetime
) -> None:
    with session_scope(sqlite_engine) as session:
        add_recipient(session, RecipientEntry("zhang@example.cn", name="张三丰"), now, "test")
    event.listen(sqlite_engine, "connect", _set("busy_timeout=0"))
    sqlite_engine.dispose()
    with read_scope(sqlite_engine) as reader:
        assert find_recipient(reader, "zhang@example.cn") is not None
        assert (
            "another program is reading"
            in erase_person(sqlite_engine, "zhang@example.cn", now, "test").remains
        )
    done = erase_person(sqlite_engine, "zhang@example.cn", now, "test")
    assert (done.known, done.remains) == (False, "")
    assert left(tmp_path, "zhang@example.cn", "张三丰") == []


def test_what_an_article_says_of_a_person_stays_and_is_told(
    sqlite_engine: Engine, make_article: Callable[..., Article], now: datetime
) -> None:
    with session_scope(sqlite_engine) as session:
        session.add(make_article(text="党工委书记张三丰讲党课。"))
        add_recipient(session, RecipientEntry("zhang@example.cn", name="张三丰"), now, "test")
    done = erase_person(sqlite_engine, "zhang@example.cn", now, "test")
    assert "in other rows" in done.remains
    with read_scope(sqlite_engine) as session:
        assert session.scalars(select(Article.text)).one() == "党工委书记张三丰讲党课。"


def test_words_across_the_pieces_a_file_is_read_in_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_CHUNK", 5)
    path = tmp_path / "file"
    path.write_bytes(b"abcdefghijklmnop")
    assert erasure._hold([path], ["cdefghijk"])
    assert not erasure._hold([path, tmp_path / "none"], ["cdefghijx", "acd"])
    assert not erasure._hold([path], [])
