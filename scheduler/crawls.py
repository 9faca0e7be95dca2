"""Visit a batch of sources with Scrapy: in this process for a person, in a child process for the daemon."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from crawler.sources.kinds import AnySource
    from crawler.spiders.base import SourceSpider
    from crawler.tally import Tally

#: Seconds a child gets after the first SIGTERM (Scrapy then finishes downloads in flight), and after the second.
GRACE_SECONDS = (5.0, 2.0)
_PR_SET_PDEATHSIG = 1
#: Their errors are counted by reason and shown in the summary; a person at a shell need not read them twice.
_COUNTED = ("scrapy.downloadermiddlewares.retry", "scrapy.downloadermiddlewares.robotstxt")


def crawl_here(
    context: CrawlContext,
    sources: Sequence[AnySource],
    *,
    log_level: str = "WARNING",
    on_progress: Callable[[SourceSpider], None] | None = None,
) -> dict[str, Tally]:
    """Visit the sources in this process and return what each visit came to. Once per process: Scrapy's reactor ends with it."""
    from scrapy.crawler import CrawlerProcess
    from scrapy.utils.project import get_project_settings

    from crawler.extensions import CrawlRecorder
    from crawler.spiders.base import SourceSpider

    os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")
    settings = get_project_settings()
    settings.set("LOG_LEVEL", log_level, priority="cmdline")
    for name in _COUNTED:
        logging.getLogger(name).setLevel("INFO" if log_level == "INFO" else "CRITICAL")
    CrawlRecorder.on_progress = staticmethod(on_progress) if on_progress else None
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(SourceSpider)
    process.crawl(crawler, sources=sources, context=context)
    process.start()
    return crawler.spider.tallies if isinstance(crawler.spider, SourceSpider) else {}


class ChildCrawl:
    """A batch of sources visited in a child process that dies with its parent."""

    def __init__(self, names: Sequence[str], started_at: datetime) -> None:
        self.names = list(names)
        self.started_at = started_at
        self.process = subprocess.Popen([sys.executable, "-m", "scheduler.crawls", *names])  # noqa: S603  names are slugs from the checked sources file

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; return whether the child has ended."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End the child: SIGTERM, again, then SIGKILL. What it had stored stays."""
        for grace in GRACE_SECONDS:
            if self.process.poll() is None:
                self.process.terminate()
                self.wait(grace)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies (Linux; elsewhere the wall limit ends an orphan)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(names: Sequence[str]) -> int:
    """The child: visit the named sources; 0 when the run ended by itself."""
    from crawler.context import CrawlContext
    from store.config import load_config

    _die_with_parent()
    context = CrawlContext(load_config())
    wanted: list[Any] = [source for source in context.sources if source.name in set(names)]
    crawl_here(context, wanted, log_level=os.environ.get("PARKNEWS_LOG_LEVEL", "INFO"))
    context.engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
