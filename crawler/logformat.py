"""Log lines an operator can read: items by their title, not by their whole text."""

from __future__ import annotations

import logging
from typing import Any, Self

from scrapy.logformatter import LogFormatter, LogFormatterResult

from crawler.items import UnreadPage


class ShortLogFormatter(LogFormatter):
    """One line a page and one an item; none, where nobody would see it, for Scrapy makes records of all and drops them at the end."""

    def __init__(self, *, detailed: bool) -> None:
        self.detailed = detailed

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Return a formatter for the crawl's LOG_LEVEL, a name or a number."""
        level = crawler.settings["LOG_LEVEL"]
        return cls(detailed=logging.getLevelNamesMapping().get(level, level) <= logging.DEBUG)

    def crawled(self, request: Any, response: Any, spider: Any) -> LogFormatterResult | None:  # type: ignore[override]
        """Return Scrapy's line for a page that came."""
        return super().crawled(request, response, spider) if self.detailed else None

    def scraped(self, item: Any, response: Any, spider: Any) -> LogFormatterResult | None:  # type: ignore[override]  # noqa: ARG002
        """Return the line for an item that was kept or an unread page that was noted."""
        if not self.detailed:
            return None
        if isinstance(item, UnreadPage):
            return {
                "level": logging.DEBUG,
                "msg": "not read (%(reason)s): %(url)s",
                "args": {"reason": item.reason, "url": item.url},
            }
        return {
            "level": logging.DEBUG,
            "msg": "article: %(title)s <%(url)s>",
            "args": {"title": item.title, "url": item.url},
        }
