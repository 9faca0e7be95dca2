"""The download handler: Scrapy's own, which hangs up on a server whose headers do not end.

Twisted limits the length of a header line but not their number, and DOWNLOAD_MAXSIZE counts the body only: within a timeout of
3 s an endless head from a server on the same machine took 120 MB.
"""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from twisted.web._newclient import BODY

#: Bytes of a response's status line and headers; browsers stop at 256 KB too (Chromium).
MAX_HEAD = 256 * 1024


class CappedHandler(HTTP11DownloadHandler):
    """Every connection of the pool counts the bytes of each head."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        pool: Any = self._pool
        inner = pool._factory  # noqa: SLF001  Scrapy sets its own lenient one here

        def factory(*args: Any) -> Any:
            made = inner(*args)
            build = made.buildProtocol
            made.buildProtocol = lambda address: _capped(build(address))
            return made

        pool._factory = factory  # noqa: SLF001


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
