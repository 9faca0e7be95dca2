"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from crawler.tally import Tally

_WIDTH = 30
_EVERY = 0.1


class CrawlProgress:
    """Draws pages read out of pages known so far; the total grows while list pages are read."""

    def __init__(self, spider_total: int) -> None:
        self.sources = spider_total
        self.shown = 0.0
        self.active = sys.stderr.isatty()

    def __call__(self, tallies: Collection[Tally], waiting: int) -> None:
        """Redraw, at most ten times a second; `waiting` is how many pages are known of and not asked for yet."""
        if not self.active or time.monotonic() - self.shown < _EVERY:
            return
        self.shown = time.monotonic()
        read = sum(tally.pages + tally.lists + tally.unchanged for tally in tallies)
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
