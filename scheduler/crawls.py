"""Visit sources with Scrapy: in this process, or each in a child of the fork server."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from scheduler.forkserver import Child, ForkServer

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from crawler.sources.kinds import AnySource
    from crawler.spiders.base import SourceSpider
    from crawler.tally import Tally
    from store.config import Config

logger = logging.getLogger(__name__)
#: Their errors are counted by reason and stand in the summary or the visit's line; nobody need read them twice.
COUNTED = ("scrapy.downloadermiddlewares.retry", "scrapy.downloadermiddlewares.robotstxt")
#: Bytes of address space a child may take: many times what pages need (120 MB resident), far from what hurts a machine.
MOST_MEMORY = 4 * 2**30
#: Exit code of a child that could not write the record of a visit because the database failed: nothing its source is to blame for.
UNRECORDED = 75
#: Seconds that a visit may take beyond its own limit, at which it ends in order, before its process is ended.
OVERTIME = 30.0
#: Seconds between two reports of a child that is asked to report.
REPORT_SECONDS = 0.2


def crawl_here(
    context: CrawlContext,
    sources: Sequence[AnySource],
    *,
    log_level: str | None = "WARNING",
    on_progress: Callable[[SourceSpider], None] | None = None,
) -> dict[str, Tally]:
    """Visit the sources in this process and return what each visit came to. Once per process: Scrapy's reactor ends with it.

    Scrapy logs from `log_level` up; None leaves logging as it is set up.
    """
    from scrapy.crawler import CrawlerProcess
    from scrapy.utils.project import get_project_settings

    from crawler.extensions import CrawlRecorder
    from crawler.spiders.base import SourceSpider

    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")
    settings = get_project_settings()
    if log_level:
        settings.set("LOG_LEVEL", log_level, priority="cmdline")
    CrawlRecorder.on_progress = staticmethod(on_progress) if on_progress else None
    settings.set("LOG_INSTALL_ROOT_HANDLER", log_level is not None, priority="cmdline")
    if log_level is None:
        logging.disable(logging.INFO)  # Scrapy sets its own loggers to DEBUG and greets
    process = CrawlerProcess(settings)
    if log_level is None:
        logging.getLogger("scrapy").setLevel(logging.WARNING)
        logging.disable(logging.NOTSET)
    crawler = process.create_crawler(SourceSpider)
    process.crawl(crawler, sources=sources, context=context)
    process.start()
    return crawler.spider.tallies if isinstance(crawler.spider, SourceSpider) else {}


@dataclass
class ChildCrawl:
    """One source visited in a child process. `held_until` is the moment up to which the source is claimed."""

    name: str
    host: str
    held_until: datetime
    child: Child
    too_long: bool = False

    def ended(self, wall_seconds: float) -> bool:
        """Return whether the child has ended; one that ran beyond its limit is asked to, and `too_long` says so."""
        if not self.too_long and self.child.seconds > wall_seconds + min(OVERTIME, wall_seconds):
            self.too_long = True
            self.child.end()
        return self.child.ended()

    @property
    def fate(self) -> str:
        """How the child ended, for an operator."""
        if self.too_long:
            return "the visit went beyond its limit (wall_seconds) and was ended"
        return f"the crawling process ended with code {self.child.returncode} and left no record"

    @property
    def unrecorded(self) -> bool:
        """Whether the database took no record at the child's end: the claims then run out, as after a power failure."""
        return self.child.returncode == UNRECORDED


class Rests:
    """Hosts that are left alone for their delay after a visit, before the next child comes."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def begin(self, host: str, seconds: float) -> None:
        """Let the host rest so many seconds from now."""
        self._until[host] = time.monotonic() + seconds

    def hosts(self) -> set[str]:
        """Return the hosts that rest."""
        now = time.monotonic()
        self._until = {host: until for host, until in self._until.items() if until > now}
        return set(self._until)


def fork_server(config: Config) -> ForkServer:
    """Return a fork server for visits under this configuration; it starts with the first of them."""
    is_postgresql = config.database_url.startswith("postgresql")
    return ForkServer(["psycopg", "sqlalchemy.dialects.postgresql.psycopg"] if is_postgresql else [])


def places(config: Config) -> int:
    """Return how many visits run at once: as many as configured, but with no delay between requests not more than processors.

    Such visits work instead of waiting, and many would only keep each other from the database.
    """
    at_once = config.daemon.crawls_at_once
    return at_once if config.crawl.delay else min(at_once, os.cpu_count() or 1)


def start_visit(
    server: ForkServer, source: AnySource, row_id: int, *, log_level: str | None = None, mine: bool = True
) -> Child:
    """Return the child that visits the source. Raises OSError when none can be started.

    `mine`: the caller holds the source's host. With a `log_level` Scrapy logs for a person, and the child reports what it counts.
    """
    request = {"source": msgspec.to_builtins(source), "id": row_id, "log_level": log_level, "mine": mine}
    return server.start(request)


#: A page that sends a reader through all it has; what it says is of no account.
SAMPLE = """<html><head><title>宝鸡高新区召开党建工作推进会_某网</title></head><body><h1>宝鸡高新区召开党建工作推进会</h1>
<p>来源：某日报 2026-01-05 09:30 作者：某某</p><p>1月5日，宝鸡高新区党工委召开两新组织党建工作推进会，30家企业党组织参加。</p>
<p>会议要求深化“红色链条”党建品牌，把支部建在产业链上。</p><ul><li><a href="/a/202601/05/1.html">高新区党建工作简报第一期</a></li></ul>
</body></html>""".encode()


def warm_up() -> None:
    """Build what every visit needs and no office may change, so that no child does: mappings, vocabulary, tables of signs."""
    from crawler.context import classifier_for
    from crawler.inspecting import inspect_page
    from store.config import Config
    from store.database import configure_mappings
    from store.dedup.same_story import Text, compare
    from store.search_index import fold

    configure_mappings()
    for kind in ("article", "list"):
        inspect_page(
            "sample", SAMPLE, "https://example.cn/a/202601/05/2.html", kind, classifier_for(Config())
        )
    text = fold(SAMPLE.decode())
    compare(Text(text[:20], text), Text(text[:20], text[:-60]))


def visit(request: dict[str, Any], channel: socket.socket) -> int:
    """The child: visit the source of a `start_visit`; 0 when it was recorded, UNRECORDED when the database failed."""
    from crawler.context import CrawlContext
    from crawler.hostlease import PARENT_VARIABLE
    from crawler.sources.kinds import AnySource
    from scheduler.logs import JsonFormatter, set_up_as_parent
    from store.config import load_config
    from store.database import OperationalError, explain

    log_level = request["log_level"]
    if log_level is None:
        set_up_as_parent()
        JsonFormatter.run = uuid.uuid4().hex[:8]  # a forked process has its parent's
        JsonFormatter.source = request["source"]["name"]
    else:
        logging.getLogger().handlers.clear()  # those of the server; Scrapy brings its own
    if log_level != "INFO":
        for name in COUNTED:  # a filter, because Scrapy sets all levels below its own anew
            logging.getLogger(name).addFilter(lambda _: False)
    if request["mine"]:
        os.environ[PARENT_VARIABLE] = str(os.getppid())
    _limit_memory()
    source: AnySource = msgspec.convert(request["source"], AnySource)
    context = CrawlContext(load_config(), source_ids={source.name: request["id"]}, only=source)
    report = Reporter(channel) if log_level else None
    try:
        tally = crawl_here(context, [source], log_level=log_level, on_progress=report)[source.name]
    except OperationalError as error:
        logger.error("no crawl: %s", explain(error, context.config.database_url))  # noqa: TRY400  one line
        return UNRECORDED
    if report:
        report.last(tally)
    context.engine.dispose()
    return UNRECORDED if tally.unrecorded else 0


class Reporter:
    """Tells the owner of this child what the visit has come to; what does not fit into the channel is left out."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.at = 0.0

    def __call__(self, spider: SourceSpider) -> None:
        """Report the counts so far and how many requests wait, now and then."""
        if time.monotonic() - self.at < REPORT_SECONDS:
            return
        self.at = time.monotonic()
        stats = spider.crawler.stats
        queued = [stats.get_value(f"scheduler/{word}queued", 0) if stats else 0 for word in ("en", "de")]
        for tally in spider.tallies.values():
            with suppress(BlockingIOError):
                line = _line({"tally": tally.as_report(), "waiting": queued[0] - queued[1]})
                self.channel.send(line, socket.MSG_DONTWAIT)

    def last(self, tally: Tally) -> None:
        """Report what the visit came to."""
        self.channel.sendall(_line({"tally": tally.as_report(), "last": True}))


def _line(report: dict[str, Any]) -> bytes:
    return json.dumps(report).encode() + b"\n"


def _limit_memory() -> None:
    """Let a bomb of a page end this process instead of the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
