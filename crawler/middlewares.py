"""Downloader middlewares of our own."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import (
    BaseRedirectMiddleware,
    MetaRefreshMiddleware,
    RedirectMiddleware,
)
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import RobotParser
from scrapy.utils.httpobj import urlparse_cached

from crawler.referer import referer, shown
from crawler.resolver import internal_hosts


class AskedToWait(IgnoreRequest):
    """The host wants to be left alone for a while, so this request was not sent; `word` is the reason of the earlier answers."""

    def __init__(self, host: str, word: str) -> None:
        answer = word.removeprefix("http_")
        super().__init__(f"not asked for, since {host} answered {answer} to an earlier request")
        self.word = word


class PrivateHost(IgnoreRequest):
    """The request would lead a source that is not `internal` to a host that only internal sources may visit."""


class InternalHostsMiddleware:
    """Keeps public sources away from the hosts that the resolver lets through for internal sources of the same batch."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the middleware for this crawl."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise PrivateHost for an internal host, unless the request's own source is internal."""
        host = urlparse_cached(request).hostname or ""
        if host in internal_hosts and not self._may_visit(request):
            raise PrivateHost(f"{host} is only for sources marked `internal = true`")

    def _may_visit(self, request: Request) -> bool:
        """A robots.txt is asked for in no source's name: it may be an internal host's own, not one a public host leads to."""
        if name := request.meta.get("source"):
            batch = getattr(self._crawler.spider, "batch", ())
            return any(source.name == name and source.internal for source in batch)
        asked = [*request.meta.get("redirect_urls", ()), request.url]
        return urlsplit(asked[0]).hostname in internal_hosts


class LeaveAloneMiddleware:
    """Sends a host nothing more for a source in this visit once it has answered 429, or 503 with a Retry-After, or its guard has."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._left_alone: dict[tuple[str, str], AskedToWait] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Build the middleware for this crawl."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raise AskedToWait for a host that wants to be left alone."""
        if asked := self._left_alone.get(_visit(request)):
            raise asked

    def process_response(self, request: Request, response: Response) -> Response:
        """Note a host that wants to be left alone; the response goes on as it is."""
        if response.status == 429 or (response.status == 503 and response.headers.get("Retry-After")):
            self.leave(request, f"http_{response.status}")
        return response

    def leave(self, request: Request, word: str) -> None:
        """Leave the request's host alone from now on."""
        visit = _visit(request)
        self._left_alone[visit] = AskedToWait(visit[0], word)
        self._give_up_waiting(request)

    def _give_up_waiting(self, request: Request) -> None:
        """Fail the source's requests that have passed `process_request` and wait for their turn."""
        engine = self._crawler.engine
        slot = engine.downloader.slots.get(str(request.meta.get("download_slot"))) if engine else None
        waiting = list(slot.queue) if slot else []
        for entry in waiting:
            if slot and (asked := self._left_alone.get(_visit(entry[0]))):
                slot.queue.remove(entry)
                entry[1].errback(asked)


def _visit(request: Request) -> tuple[str, str]:
    return urlparse_cached(request).netloc, request.meta.get("source", "")


class _NamingReferer(BaseRedirectMiddleware):
    """Names the page that sent on, as browsers do; Scrapy would ask a spider middleware for that, which is called for every page."""

    def handle_referer(self, request: Request, response: Response) -> None:
        """Put the header on the request that `response` leads to, or take it off."""
        request.headers.pop("Referer", None)
        request.headers.update(referer(shown(response.url), request.url))

    def _engine_started(self) -> None:
        """Do not warn that the other middleware is missing."""


class NamingRedirectMiddleware(_NamingReferer, RedirectMiddleware):
    """Follows 301 and the like."""


class SparingMetaRefreshMiddleware(_NamingReferer, MetaRefreshMiddleware):
    """Spares pages that do not name a refresh where Scrapy looks for one from being decoded whole to find that out."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Return the response, or the request for where the page leads."""
        # Scrapy reads 4,096 characters; one has four bytes at most, and zeros are the other half of UTF-16's.
        if b"refresh" not in response.body[: 4 * 4096].replace(b"\0", b"").lower():
            return response
        return super().process_response(request, response)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Keep the traceback of a robots.txt that could not be had out of the log: its last line is in the message."""
    record.exc_info = None
    return True


logging.getLogger(RobotsTxtMiddleware.__module__).addFilter(_in_one_line)


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
        known = self._parsers.get(urlparse_cached(request).netloc)
        if isinstance(known, RobotParser):
            return known
        async with self._locks[urlparse_cached(request).netloc]:
            return await super().robot_parser(request)
