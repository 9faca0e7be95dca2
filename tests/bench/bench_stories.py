"""What finding an article's story costs: `python -m tests.bench.bench_stories [STORED ...] [--url URL] [--rebuild N]`.

Prints, with 1,000, 10,000 and 100,000 stored articles of 1,500 characters (all different: the worst case for the index), the CPU time of
assigning one more (new ones and copies, half and half), its 95th percentile, index bytes an article and the memory; then
datasketch, rensa and gaoya on the same texts where they are installed (signature, look-up and insertion only).
With --rebuild only: how long it takes to work out N articles anew, half of them copies or excerpts that all stand in
stories of their own (every one changes), and once more when nothing does.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from store import story_buckets
from store.database import make_engine, session_scope
from store.dedup.same_story import Text
from store.models import Article, Base, Story
from store.stories import assign_story, rebuild
from store.story_batch import write_now
from store.story_index import StoryFingerprint, StoryText

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LENGTH = 1500
SAMPLES = 400
#: Articles stored in one transaction: as many as a crawl of one site brings.
BATCH = 20
_SIGNS = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]


def texts(seed: int) -> Iterator[str]:
    """Different texts whose signs are as unevenly spread as in real ones (Zipf over 2,500)."""
    chance = random.Random(seed)
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(_SIGNS))))
    while True:
        signs = chance.choices(_SIGNS, cum_weights=weights, k=LENGTH)
        yield "，".join("".join(signs[start : start + 15]) for start in range(0, LENGTH, 15))


def article(number: int, text: str) -> dict[str, object]:
    return {
        "id": number, "url": f"https://x.example/{number}", "url_key": f"x/{number}", "checksum": str(number), "title": text[:24],
        "text": text, "first_seen_at": NOW, "updated_at": NOW, "version": 1, "images": [], "flags": [], "confidence": 1.0,
        "relevant": False, "borderline": False, "score": 0.0, "classification": {}, "story_id": number, "relation": "original",
    }  # fmt: skip


def fill(engine: Engine, start: int, stop: int, source: Iterator[str]) -> None:
    """Store articles `start` to `stop` as if they had been assigned, faster than one by one."""
    for begin in range(start, stop, BATCH):
        rows = [article(number, next(source)) for number in range(begin + 1, min(begin + BATCH, stop) + 1)]
        stories = [
            {"id": row["id"], "title": row["title"], "first_seen_at": NOW, "last_seen_at": NOW, "relevant": False,
             "score": 0.0, "article_count": 1} for row in rows
        ]  # fmt: skip
        kept = {int(str(row["id"])): Text(str(row["title"]), str(row["text"])).kept() for row in rows}
        with session_scope(engine) as session:
            session.execute(insert(Story), stories)
            session.execute(insert(Article), rows)
            session.execute(insert(StoryText), [{"article_id": row["id"], "page": False} for row in rows])
            _keep(session, kept)
            if engine.dialect.name == "postgresql":
                for table in ("article", "story"):
                    session.connection().exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {stop})"
                    )


def _keep(session: Session, kept: dict[int, set[int]]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        story_buckets.add(session.connection(), kept.items())
        return
    prints = [
        {"fingerprint": value, "article_id": number} for number, values in kept.items() for value in values
    ]
    session.execute(insert(StoryFingerprint), prints)


def measure(engine: Engine, stored: int, source: Iterator[str]) -> tuple[float, float]:
    """Return mean and 95th percentile of the CPU milliseconds of assigning one article."""
    chance = random.Random(stored)
    took = []
    with session_scope(engine) as session:
        for number in range(SAMPLES):
            if number % 2:
                told = session.get_one(Article, chance.randrange(1, stored + 1))
                text = told.text.replace("，", ", ")[: chance.choice((700, 1200, LENGTH * 2))]
                session.expunge(told)
            else:
                text = next(source)
            new = Article(**(article(stored + number + 1, text) | {"story_id": None, "relation": None}))
            session.add(new)
            session.flush()
            begin = time.process_time()
            assign_story(session, new)
            write_now(session)
            took.append((time.process_time() - begin) * 1000)
            session.expunge(new)
        session.rollback()
    took.sort()
    return sum(took) / len(took), took[int(len(took) * 0.95)]


def index_bytes(session: Session) -> int:
    tables = ("story_fingerprint", "story_bucket", "story_text")
    if session.get_bind().dialect.name == "sqlite":
        query = f"SELECT sum(pgsize) FROM dbstat WHERE name IN {tables}"
    else:
        query = " + ".join(f"pg_total_relation_size('{table}')" for table in tables)
        query = f"SELECT {query}"
    return int(session.connection().exec_driver_sql(query).scalar_one())


def ours(engine: Engine, sizes: list[int]) -> None:
    source, stored = texts(1), 0
    for size in sizes:
        fill(engine, stored, size, source)
        stored = size
        mean, tail = measure(engine, stored, source)
        with session_scope(engine) as session:
            bytes_each = index_bytes(session) / stored
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"parknews    {stored:>9,} stored  {mean:6.2f} ms  p95 {tail:6.2f} ms  {bytes_each:5.0f} bytes  {memory:5.0f} MB"
        )


def rebuilding(engine: Engine, count: int) -> None:
    """Print the CPU time of two rebuilds of `count` articles."""
    fill(engine, 0, count, _half_copies(texts(1)))
    for _ in range(2):
        begin, started = time.process_time(), time.monotonic()
        print(rebuild(engine, NOW))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        cpu, wall = time.process_time() - begin, time.monotonic() - started
        print(f"rebuild     {count:>9,} stored  {cpu:6.0f} s CPU  {wall:6.0f} s in all  {memory:5.0f} MB")


def _half_copies(source: Iterator[str]) -> Iterator[str]:
    chance, last = random.Random(2), list[str]()
    while True:
        last = [*last[-50:], next(source)]
        yield last[-1]
        yield chance.choice(last).replace("，", ", ")[: chance.choice((700, 1200, LENGTH * 2))]


def _shingles(text: str) -> list[str]:
    return list({text[i : i + 5] for i in range(len(text) - 4)})


def _datasketch() -> Callable[[int, str], object]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.5, num_perm=128)

    def add(number: int, text: str) -> object:
        signature = MinHash(num_perm=128)
        signature.update_batch([piece.encode() for piece in _shingles(text)])
        found = index.query(signature)
        index.insert(str(number), signature)
        return found

    return add


def _rensa() -> Callable[[int, str], object]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)

    def add(number: int, text: str) -> object:
        signature = RMinHash(num_perm=128, seed=1)
        signature.update(_shingles(text))
        found = index.query(signature)
        index.insert(number, signature)
        return found

    return add


def _gaoya() -> Callable[[int, str], object]:
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=0.5,
        num_bands=32,
        band_size=4,
        num_hashes=128,
        analyzer="char",
        ngram_range=(5, 5),
    )

    def add(number: int, text: str) -> object:
        found = index.query(text)
        index.insert_document(number, text)
        return found

    return add


def peers(count: int) -> None:
    for name, build in (("datasketch", _datasketch), ("rensa", _rensa), ("gaoya", _gaoya)):
        try:
            add = build()
        except ImportError:
            print(f"{name:<11} not installed")
            continue
        source = texts(1)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.process_time()
        for number in range(count):
            add(number, next(source))
        each = (time.process_time() - begin) * 1000 / count
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024 / count
        print(f"{name:<11} {count:>9,} stored  {each:6.2f} ms  in memory only, {grown:5.0f} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--url")
    parser.add_argument("--rebuild", type=int, metavar="N")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(given.url or f"sqlite:///{Path(folder) / 'bench.db'}")
        Base.metadata.create_all(engine)
        if given.rebuild:
            rebuilding(engine, given.rebuild)
        else:
            ours(engine, sorted(given.sizes))
        engine.dispose()
    if not given.rebuild:
        peers(2_000)


if __name__ == "__main__":
    os.nice(5)
    main()
