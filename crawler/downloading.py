"""The download handler: Scrapy's own, which hangs up on a server whose headers do not end and lets a host rest after each answer.

Twisted limits the length of a header line but not their number, and DOWNLOAD_MAXSIZE counts the body only: within a timeout of
3 s an endless head from a server on the same machine took 120 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from time import monotonic
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.utils import deprecate
from twisted.internet import endpoints
from twisted.web._newclient import BODY


@contextmanager
def _old_names_as_new() -> Iterator[None]:
    """Let modules that are imported meanwhile give their classes' old names to the classes themselves.

    Scrapy 2.19 makes three classes that warn of their names, and to find out the module it is in reads the source of every
    caller: .06 to .1 s, an eighth of what starting a crawl costs.
    """
    make = deprecate.create_deprecated_class
    deprecate.create_deprecated_class = lambda _name, new_class, **_: new_class
    try:
        yield
    finally:
        deprecate.create_deprecated_class = make


with _old_names_as_new():
    from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler

#: Bytes of a response's status line and headers; browsers stop at 256 KB too (Chromium).
MAX_HEAD = 256 * 1024


class CappedHandler(HTTP11DownloadHandler):
    """Every connection of the pool counts the bytes of each head; a host's delay begins anew when a download has ended."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        _remember_names()
        self._rests = crawler.settings.getbool("AUTOTHROTTLE_ENABLED")
        self._timeout = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        pool: Any = self._pool
        inner = pool._factory  # noqa: SLF001  Scrapy sets its own lenient one here

        def factory(*args: Any) -> Any:
            made = inner(*args)
            build = made.buildProtocol
            made.buildProtocol = lambda address: _capped(build(address))
            return made

        pool._factory = factory  # noqa: SLF001

    async def download_request(self, request: Request) -> Response:
        """Return the response. The host's next request leaves at least the delay after it, or after the failure.

        Scrapy counts from when a request was queued: what connecting took, the host would see the next one too early.
        """
        request.meta.setdefault("download_timeout", self._timeout)
        try:
            return await super().download_request(request)
        finally:
            if self._rests:
                self._begin_rest(request)

    def _begin_rest(self, request: Request) -> None:
        engine = self.crawler.engine
        slot = engine.downloader.slots.get(request.meta.get("download_slot", "")) if engine else None
        if slot:
            slot.lastseen = monotonic()


def _remember_names() -> None:
    """Let Twisted check and encode a host's name once instead of for each request, a twentieth of what a request costs.

    To be called after Scrapy has put its own function in the same place.
    """
    module: Any = endpoints
    if not hasattr(module._idnaBytes, "cache_info"):  # noqa: SLF001
        module._idnaBytes = lru_cache(1000)(module._idnaBytes)  # noqa: SLF001


def _capped(protocol: Any) -> Any:
    receive = protocol.dataReceived
    counted: Any = None
    head = 0

    def data_received(data: bytes) -> None:
        nonlocal counted, head
        parser = protocol._parser  # noqa: SLF001  one for each response
        if parser is not counted:
            counted, head = parser, 0
        if parser is not None and parser.state != BODY:
            head += len(data)
            if head > MAX_HEAD:
                protocol.transport.abortConnection()
                return
        receive(data)

    protocol.dataReceived = data_received
    return protocol
