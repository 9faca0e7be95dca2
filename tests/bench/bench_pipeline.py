"""What the whole way of an article costs: `python tests/bench/bench_pipeline.py [--articles N] [--size BYTES]`.

A loopback web of eight hosts is crawled by children whose CPU time is their own `wait4` record, start included:

1. raw Scrapy: every page, address and title only; 2. Scrapy with trafilatura, out of the peers' environment where it was made
(`make quality PEERS=1`); 3. the product's spider into a new SQLite file: crawl, extract, classify, join to stories, store, and
where its CPU goes; 4. again with nothing new; 5. days later, with new and edited articles.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.acceptance.farm import running  # noqa: E402
from tests.bench.newsfarm import COLUMNS, LISTS, NewsFarm  # noqa: E402
from tests.bench.stages import Stages, load  # noqa: E402

#: Where the peers' packages are; those of the product come first.
PEERS = next((ROOT / ".venv-peers" / "lib").glob("python*/site-packages"), None)
#: Articles edited overnight.
EDITS = 30
HOSTS = [f"127.0.0.{number}" for number in range(2, 10)]


@dataclass(frozen=True)
class Cost:
    """One child: CPU and wall seconds, peak memory in MB."""

    cpu: float
    wall: float
    peak: float


def environment(folder: Path) -> dict[str, str]:
    """Return a child's environment."""
    return os.environ | {
        "PARKNEWS_CONFIG": str(folder / "parknews.toml"),
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
    }


def run(folder: Path, *words: str) -> Cost:
    """Run one of this file's children to its end and return what it cost. Raises RuntimeError when it failed."""
    began = time.monotonic()
    with (folder / f"{words[0]}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, __file__, "--child", *words], env=environment(folder), stderr=log
        )
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError((folder / f"{words[0]}.log").read_text(encoding="utf-8")[-2000:])
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024)


def ours(shift: str, steps: str = "", profile: str = "") -> None:
    """The product's own visit of all sources, its clock `shift` seconds ahead; its steps' times go to the file `steps`."""
    import crawler.settings  # noqa: F401  first, as `scrapy crawl` does
    from crawler.context import CrawlContext, utc_now
    from scheduler.crawls import crawl_here
    from store.config import load_config

    context = CrawlContext(load_config(), now=lambda: utc_now() + timedelta(seconds=float(shift)))
    if profile:
        import cProfile

        profiler = cProfile.Profile()
        profiler.runcall(crawl_here, context, context.sources, log_level="INFO")
        profiler.dump_stats(profile)
        return
    stages = Stages()
    if steps:
        stages.install()
    crawl_here(context, context.sources, log_level="INFO")
    if steps:
        stages.save(Path(steps))


def raw(port: str, articles: str, mode: str = "") -> None:
    """Thirty lines of Scrapy: every list, every article, its address and title (or what trafilatura makes of it)."""
    import scrapy
    from scrapy.crawler import CrawlerProcess

    extract: Any = None
    if mode == "trafilatura":
        sys.path.append(str(PEERS))
        extract = importlib.import_module("trafilatura").bare_extraction

    class Raw(scrapy.Spider):
        name = "raw"

        async def start(self) -> Any:
            for host in HOSTS:
                for column in range(COLUMNS):
                    yield scrapy.Request(f"http://{host}:{port}/col{column}/", self.parse)

        def parse(self, response: Any) -> Any:
            for href in response.css("ul.list a::attr(href)").getall():
                yield response.follow(href, self.article)

        def article(self, response: Any) -> Any:
            yield {"url": response.url, "title": response.css("title::text").get()}
            if extract:
                extract(response.text, url=response.url)

    settings: dict[str, Any] = {
        "DOWNLOAD_DELAY": 0.001,
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS": 16,
        "COOKIES_ENABLED": False,
    }
    settings |= {
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "ROBOTSTXT_OBEY": True,
        "LOG_LEVEL": "INFO",
        "TELNETCONSOLE_ENABLED": False,
    }
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(Raw)
    process.crawl(crawler)
    process.start()
    if crawler.stats.get_value("item_scraped_count", 0) != int(articles):
        raise SystemExit(
            f"raw Scrapy saw {crawler.stats.get_value('item_scraped_count')} of {articles} articles"
        )


def counts(folder: Path) -> tuple[int, int, int]:
    """Return (articles, revisions, stories) in the database."""
    import sqlite3

    with sqlite3.connect(folder / "var" / "parknews.db") as database:
        found = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("article", "article_version", "story")
        ]
    return found[0], found[1], found[2]


def office(folder: Path, port: int) -> None:
    """Write the configuration of the crawl and make its database, which is no visit's work."""
    (folder / "parknews.toml").write_text("[crawl]\ndelay = 0\nmax_articles = 10000\n", encoding="utf-8")
    tables = []
    for number, (host, (kind, paths)) in enumerate(zip(HOSTS, LISTS, strict=True)):
        urls = ", ".join(f'"http://{host}:{port}{path}"' for path in paths)
        more = "days = 3650\n" if kind == "sitemap" else ""
        tables.append(
            f'[[source]]\nname = "site-{number}"\nkind = "{kind}"\npublisher = "第{number}网"\nurls = [{urls}]\ninternal = true\n{more}'
        )
    (folder / "sources.toml").write_text("\n".join(tables), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "scheduler", "db", "upgrade"],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env=environment(folder),
    )


def show(name: str, cost: Cost, articles: int, more: str = "") -> None:
    """Print one line."""
    each = (
        f"{cost.cpu / articles * 1000:7.2f} ms CPU an article"
        if articles
        else f"{cost.cpu:7.2f} s CPU in all"
    )
    print(f"{name:34}{each}, {cost.wall:6.1f} s, peak {cost.peak:4.0f} MB{more}", flush=True)


def main() -> None:
    """Print the costs and their ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--articles", type=int, default=1500)
    options.add_argument("--size", type=int, default=70_000)
    options.add_argument(
        "--profile", default="", help="write a cProfile of the first crawl here (its CPU then says nothing)"
    )
    options.add_argument("--child", nargs="+")
    given = options.parse_args()
    if given.child:
        (ours if given.child[0] == "ours" else raw)(*given.child[1:])
        return
    for package in ("crawler", "scheduler", "store"):
        compileall.compile_dir(ROOT / package, quiet=1)  # as an installed product is
    with tempfile.TemporaryDirectory() as name, running(HOSTS) as farm:
        farm.latency = 0
        measure(Path(name), NewsFarm(farm, given.articles, given.size), given.profile)


def measure(folder: Path, news: NewsFarm, profile: str) -> None:
    """Run the children one after the other."""
    farm, count = news.farm, news.articles
    news.build()
    office(folder, farm.port)
    bare = run(folder, "raw", str(farm.port), str(count))
    show("raw Scrapy", bare, count)
    peer = run(folder, "raw", str(farm.port), str(count), "trafilatura") if PEERS else None
    if peer:
        show("Scrapy with trafilatura", peer, count)
    else:
        print("Scrapy with trafilatura: left out, there is no .venv-peers (make quality PEERS=1 makes it)")
    farm.forget()
    steps = folder / "steps.json"
    first = run(folder, "ours", "0", str(steps), *([profile] if profile else []))
    articles, _, stories = counts(folder)
    show(
        "crawl to store",
        first,
        count,
        f"; {articles} articles, {stories} stories, {len(farm.asked)} requests",
    )
    for name, seconds in load(steps).items() if steps.exists() else ():
        print(f"    {name:30}{seconds / count * 1000:7.2f} ms")
    size = sum(file.stat().st_size for file in (folder / "var").glob("parknews.db*")) / count / 1024
    print(f"{'':34}{size:7.1f} KB of database an article, its page of {news.size // 1000} KB included")
    print(f"{'':34}{first.cpu / bare.cpu:7.2f} x raw Scrapy (wanted <= 2)")
    if peer:
        print(f"{'':34}{first.cpu / peer.cpu:7.2f} x Scrapy with trafilatura (wanted <= 0.33)")
    farm.forget()
    again = run(folder, "ours", "600")
    show(
        "again, nothing new",
        again,
        0,
        f"; {len(farm.asked)} requests (lists {list_count()}, robots {len(HOSTS)})",
    )
    next_day(folder, news)


def next_day(folder: Path, news: NewsFarm) -> None:
    """A day on: three new articles a host, thirty edited; then a visit a day for as long as edits are looked for."""
    farm, new, before = news.farm, 3 * len(HOSTS), counts(folder)
    for number in range(news.articles, news.articles + new):
        news.publish(number)
    news.edited_at = (datetime.now(UTC) + timedelta(hours=12)).isoformat(timespec="seconds")
    for number in range(EDITS):
        news.edit(
            number * (news.articles // EDITS // 2 * 2 - 1)
        )  # an odd step, so that every host has its share
    lists, told = list_count(), sum(shown != "nowhere" for shown in news.shown.values())
    for day in range(1, 15):
        farm.forget()
        cost = run(folder, "ours", str(86_400 * day + 700))
        if day not in {1, 2, 7, 14}:
            continue
        after, robots = counts(folder), len(farm.paths("/robots.txt"))
        asked = f"{len(farm.asked) - robots} requests + {robots} robots"
        if day == 1:
            bound = (lists + new + told) * 1.1
            asked += f" for {lists} lists, {new} new, {told} edits that lists tell of (wanted <= {bound:.0f})"
        show(f"day {day}", cost, 0, f"; {after[0] - before[0]} of {new} new, {asked}")
        print(f"{'':34}edited and noticed, by where lists tell of it: {noticed(folder, news)}")


def noticed(folder: Path, news: NewsFarm) -> str:
    """Return how many edits of each kind have become revisions."""
    import sqlite3

    with sqlite3.connect(folder / "var" / "parknews.db") as database:
        urls = database.execute("SELECT url FROM article JOIN article_version ON article_id = article.id")
        revised = {url for (url,) in urls}
    address = {number: news.farm.root(news.place(number)[0]) + news.path(number) for number in news.shown}
    found = Counter(shown for number, shown in news.shown.items() if address[number] in revised)
    return ", ".join(
        f"{shown} {found[shown]} of {count}" for shown, count in sorted(Counter(news.shown.values()).items())
    )


def list_count() -> int:
    """Return how many lists the sources have."""
    return sum(len(paths) for _, paths in LISTS)


if __name__ == "__main__":
    main()
