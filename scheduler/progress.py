"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.spiders.base import SourceSpider

_WIDTH = 30
_EVERY = 0.1


class CrawlProgress:
    """Draws pages read out of pages known so far; the total grows while list pages are read."""

    def __init__(self, spider_total: int) -> None:
        self.sources = spider_total
        self.shown = 0.0
        self.active = sys.stderr.isatty()

    def __call__(self, spider: SourceSpider) -> None:
        """Redraw, at most ten times a second."""
        if not self.active or time.monotonic() - self.shown < _EVERY:
            return
        self.shown = time.monotonic()
        tallies = spider.tallies.values()
        read = sum(tally.pages + tally.lists + tally.unchanged for tally in tallies)
        stats = spider.crawler.stats
        waiting = (
            stats.get_value("scheduler/enqueued", 0) - stats.get_value("scheduler/dequeued", 0)
            if stats
            else 0
        )
        total = max(1, read + waiting)
        filled = min(_WIDTH, _WIDTH * read // total)
        new = sum(tally.new for tally in tallies)
        sys.stderr.write(
            f"\r  [{'#' * filled}{'.' * (_WIDTH - filled)}] {read}/{total} pages, {new} new articles, {self.sources} sources "
        )
        sys.stderr.flush()

    def done(self) -> None:
        """Leave the line."""
        if self.active and self.shown:
            sys.stderr.write("\n")
