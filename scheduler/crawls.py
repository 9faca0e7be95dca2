"""Visit a batch of sources with Scrapy: in this process for a person, in a child process for the daemon."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from crawler.sources.kinds import AnySource
    from crawler.spiders.base import SourceSpider
    from crawler.tally import Tally

logger = logging.getLogger(__name__)
#: Seconds a child gets after the first SIGTERM (Scrapy then finishes downloads in flight), and after the second.
GRACE_SECONDS = (4.0, 2.0)
#: Bytes of address space a child may take: many times what pages need (120 MB resident), far from what hurts a machine.
MOST_MEMORY = 4 * 2**30
#: Exit code of a child that could not write the record of a visit because the database failed: nothing its sources are to blame for.
UNRECORDED = 75
_PR_SET_PDEATHSIG = 1
_PARENT = "PARKNEWS_PARENT"


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
    process = CrawlerProcess(settings)
    if log_level is None:
        logging.getLogger("scrapy").setLevel(logging.WARNING)  # Scrapy has just set it to DEBUG
    crawler = process.create_crawler(SourceSpider)
    process.crawl(crawler, sources=sources, context=context)
    process.start()
    return crawler.spider.tallies if isinstance(crawler.spider, SourceSpider) else {}


class ChildCrawl:
    """A batch of sources visited in a child process that dies with its parent.

    `held_until` is the moment up to which the sources are claimed.
    """

    def __init__(self, names: Sequence[str], held_until: datetime) -> None:
        self.names = list(names)
        self.held_until = held_until
        self._started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  names are slugs from the checked sources file
            [sys.executable, "-m", "scheduler.crawls", *names],
            stdin=subprocess.DEVNULL,
            env=os.environ | {_PARENT: str(os.getpid())},
        )

    @property
    def seconds(self) -> float:
        """How long it has been running, whatever the wall clock was set to meanwhile."""
        return time.monotonic() - self._started

    def ended(self) -> bool:
        """Return whether the child has ended."""
        return self.process.poll() is not None

    @property
    def unrecorded(self) -> bool:
        """Whether the database took no record when the child ended: the claims then run out, as after a power failure."""
        return self.process.returncode == UNRECORDED


def end_all(children: Sequence[ChildCrawl]) -> None:
    """End the children together: SIGTERM, again, then SIGKILL. What they had stored stays; returns within 7 seconds."""
    for grace in GRACE_SECONDS:
        for child in children:
            if not child.ended():
                child.process.terminate()
        _wait(children, grace)
    for child in children:
        if not child.ended():
            child.process.kill()
        child.process.wait()


def _wait(children: Sequence[ChildCrawl], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and not all(child.ended() for child in children):
        time.sleep(0.05)


def _parent_died(*_: object) -> None:
    """End in order, once: the kernel tells of a thread's death and of the process's, and Scrapy breaks off at a second SIGTERM."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)


def _die_with_parent() -> None:
    """Ask the kernel for a signal when the parent dies (Linux; elsewhere the wall limit ends an orphan)."""
    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, _parent_died)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    if (parent := os.environ.get(_PARENT)) and int(parent) != os.getppid():
        sys.exit(1)  # it died before we could ask


def _limit_memory() -> None:
    """Let a bomb of a page end this process instead of the machine."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def main(names: Sequence[str]) -> int:
    """The child: visit the named sources; 0 when the run ended by itself and was recorded, UNRECORDED when the database failed."""
    _die_with_parent()
    from crawler.context import CrawlContext
    from scheduler.logs import set_up_as_parent
    from store.config import load_config
    from store.database import OperationalError

    set_up_as_parent()
    _limit_memory()
    try:
        context = CrawlContext(load_config())
        wanted: list[Any] = [source for source in context.sources if source.name in set(names)]
        tallies = crawl_here(context, wanted, log_level=None)
    except OperationalError as error:
        logger.error("no crawl: the database fails: %s", error.orig)  # noqa: TRY400  one line
        return UNRECORDED
    context.engine.dispose()
    return UNRECORDED if any(tally.unrecorded for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
