"""Log lines an operator can read: items by their title, not by their whole text."""

from __future__ import annotations

import logging
from typing import Any

from scrapy.logformatter import LogFormatter, LogFormatterResult

from crawler.items import UnreadPage


class ShortLogFormatter(LogFormatter):
    """One line an item."""

    def scraped(self, item: Any, response: Any, spider: Any) -> LogFormatterResult:  # noqa: ARG002
        """Return the line for an item that was kept or an unread page that was noted."""
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
