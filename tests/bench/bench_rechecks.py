"""How many corrections that no list tells of are noticed: `python tests/bench/bench_rechecks.py`.

Eight invented sources of four lists bring 24 articles a day for four weeks. Each article's text is corrected once without a
word, half of them within the first day. Visits ask for the lists and the new articles; what they look at again beyond that is
what `store.rechecks` gives them. No page is fetched: this counts looks, not bytes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from crawler.spiders.rechecks import REQUESTS_A_RECHECK  # noqa: E402
from store.database import Engine, make_engine, session_scope  # noqa: E402
from store.models import Article, Base, PageValidator, RawPage, Source  # noqa: E402
from store.rechecks import take_rechecks  # noqa: E402

START = datetime(2026, 1, 5, tzinfo=UTC)
LISTS, A_DAY, DAYS, KEPT = 32, 24, 28, 14
#: Mean age of an article when it is corrected, exponential.
MEAN_AGE = timedelta(hours=35)


def publish(engine: Engine, number: int, at: datetime) -> None:
    """Add a relevant article with the page it was read from."""
    url = f"http://a.example/{number}"
    with session_scope(engine) as session:
        page = RawPage(url=url, kind="portal", fetched_at=at, checksum=str(number), size=0, body=b"")
        session.add_all([page, PageValidator(url=url, etag='"1"', fetched_at=at)])
        session.flush()
        session.add(
            Article(
                source_id=1, raw_page_id=page.id, url=url, url_key=url, checksum="", title="", text="",
                first_seen_at=at, updated_at=at, relevant=True,
            )
        )  # fmt: skip


def simulate(engine: Engine, visits_a_day: int, seed: int = 1) -> tuple[int, list[timedelta], float]:
    """Return (corrections, the delays of those noticed, looks beyond lists and new articles per visit)."""
    chance = random.Random(seed)
    edits: dict[str, datetime] = {}
    noticed: dict[str, timedelta] = {}
    looks = number = 0
    for visit in range(DAYS * visits_a_day):
        at = START + timedelta(days=visit / visits_a_day)
        new = A_DAY // visits_a_day + (chance.random() < A_DAY % visits_a_day / visits_a_day)
        for _ in range(new):
            publish(engine, number, at)
            edits[f"http://a.example/{number}"] = at + MEAN_AGE * chance.expovariate(1)
            number += 1
        with session_scope(engine) as session:
            limit = max(1, (LISTS + new) // REQUESTS_A_RECHECK)
            found = take_rechecks(session, ["a"], at, limit, KEPT)
        looks += len(found)
        for recheck in found:
            if edits[recheck.url] < at:
                noticed.setdefault(recheck.url, at - edits[recheck.url])
    ended = START + timedelta(days=DAYS - KEPT)
    counted = [url for url, at in edits.items() if at < ended]
    return len(counted), [noticed[url] for url in counted if url in noticed], looks / (DAYS * visits_a_day)


def main() -> None:
    """Print the share of silent corrections that become revisions, by visits a day."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for visits in (1, 2, 4, 8, 24):
        with tempfile.TemporaryDirectory() as folder:
            engine = make_engine(f"sqlite:///{folder}/bench.db")
            Base.metadata.create_all(engine)
            with session_scope(engine) as session:
                session.add(Source(id=1, name="a", kind="portal", first_seen_at=START))
            count, delays, looks = simulate(engine, visits)
            engine.dispose()
        middle = statistics.median(delay / timedelta(hours=1) for delay in delays)
        print(
            f"{visits:3} visits a day, {LISTS} lists: {len(delays) / count:5.0%} of {count} silent corrections noticed,"
            f" half of them within {middle:.0f} h; {looks:.1f} looks a visit"
        )


if __name__ == "__main__":
    main()
