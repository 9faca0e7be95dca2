"""End a crawl quickly when asked to: within seconds even on a slow host, with the records of its sources written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, Self

from scrapy import signals
from scrapy.exceptions import IgnoreRequest, NotConfigured

#: Seconds after which the records are written though a download has not ended; before the second SIGTERM of a daemon.
PATIENCE = 2.5


class QuickEnd:
    """Scrapy's first SIGTERM still fetches what its downloader has queued, one by one with the host's delay; this drops the queue.

    `late` is called on the reactor's thread when downloads in flight outlast PATIENCE.
    """

    def __init__(self, crawler: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise NotConfigured("signals come to the main thread only")
        self.crawler = crawler
        self.late: list[Callable[[], None]] = []
        self._before: dict[int, Any] = {}
        crawler.signals.connect(self.spider_opened, signal=signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Build the extension for this crawl."""
        return cls(crawler)

    def spider_opened(self) -> None:
        """Come before Scrapy's handlers, which are there by now."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.getsignal(number)
            if callable(self._before[number]):
                signal.signal(number, self._asked)

    def _asked(self, number: int, frame: Any) -> None:
        signal.signal(number, self._before[number])
        _reactor().callFromThread(self._drop)
        self._before[number](number, frame)

    def _drop(self) -> None:
        engine = self.crawler.engine
        for slot in list(engine.downloader.slots.values()) if engine else []:
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(IgnoreRequest("the crawl was asked to stop"))
        for call in self.late:
            _reactor().callLater(PATIENCE, call)


def _reactor() -> Any:
    """Return the running reactor; imported late, as the import installs one."""
    from twisted.internet import reactor

    return reactor
