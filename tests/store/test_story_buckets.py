from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from store.models import Base
from store.story_buckets import StoryBucket, add, drop, holders, pack
from store.story_records import table_of
from tests.databases import emptied


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    engine = emptied(postgresql_url)
    Base.metadata.create_all(engine, tables=[table_of(StoryBucket)])
    yield engine
    engine.dispose()


def test_entries_of_every_generation_are_found_and_can_be_dropped(engine: Engine) -> None:
    numbers = (1, 16_383, 16_384, 70_000, 300_000, 2_000_000, 268_435_455)
    with engine.begin() as connection:
        add(connection, [(number, {7, -(2**31), 2**31 - 1, number}) for number in numbers[:3]])
        for number in numbers[3:]:
            add(connection, [(number, {7, -(2**31), 2**31 - 1, number})])
        assert sorted(holders(connection, {-(2**31)}, numbers[-1])) == [(-(2**31), n) for n in numbers]
        drop(connection, {7, 2**31 - 1}, 70_000)
        assert [n for _, n in sorted(holders(connection, {7}, numbers[-1]))] == [
            n for n in numbers if n != 70_000
        ]
        assert len(holders(connection, {-(2**31)}, numbers[-1])) == len(numbers)
        assert holders(connection, {8}, numbers[-1]) == []


def test_an_entry_takes_four_bytes() -> None:
    packed = pack(range(-1000, 1000), 12_345)
    assert sum(map(len, packed.values())) == 4 * 2000
