"""Downloader middlewares of our own."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.robotstxt import RobotParser
from scrapy.utils.httpobj import urlparse_cached


class PatientRobotsTxtMiddleware(RobotsTxtMiddleware):
    """Lets every request of a host wait for its robots.txt.

    In Scrapy 2.19 several requests that wait for the same download share one Deferred; the first to wake empties it and all
    others get None, which means "everything allowed": of seven lists of one host six ignored robots.txt.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def robot_parser(self, request: Request) -> RobotParser | None:
        """Return the host's rules, fetched once; None when there are none."""
        async with self._locks[urlparse_cached(request).netloc]:
            return await super().robot_parser(request)
