"""The fork server's own process: it imports what a crawl needs and forks a child for each request (see `scheduler.forkserver`).

It opens no database, starts no thread, reads no file an office may edit and installs no reactor: all that is the children's.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from scheduler.forkserver import LENGTH
from scheduler.logs import set_up_as_parent

logger = logging.getLogger(__name__)
#: What a visit imports by itself, found by comparing sys.modules before and after one.
PRELOADED = (
    "encodings.idna",
    "crawler.asked",
    "crawler.downloading",
    "crawler.ending",
    "crawler.extensions",
    "crawler.hostlease",
    "crawler.logformat",
    "crawler.middlewares",
    "crawler.pipelines",
    "crawler.resolver",
    "crawler.spiderloader",
    "crawler.stats",
    *(f"crawler.spiders.{name}" for name in ("epaper", "folder", "pdf", "portal", "rss", "sitemap")),
    "queuelib",
    "scheduler.crawls",
    "scrapy.crawler",
    "scrapy.pqueues",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "scrapy.utils.project",
    *(f"scrapy.downloadermiddlewares.{name}" for name in (
        "defaultheaders", "httpcompression", "redirect", "retry",
    )),
    *(f"scrapy.extensions.{name}" for name in (
        "closespider", "corestats", "feedexport", "logcount", "logstats", "memusage", "throttle",
    )),
    "scrapy.spidermiddlewares.httperror",
)  # fmt: skip
#: Seconds from the wish to end a child to each signal: Scrapy finishes downloads in flight after the first SIGTERM.
SIGNALS = ((0.0, signal.SIGTERM), (4.0, signal.SIGTERM), (6.0, signal.SIGKILL))
_PR_SET_PDEATHSIG = 1


def preload(modules: Sequence[str]) -> None:
    """Import the modules and build what all crawls share. What fails is logged: each child then tries by itself, and fails plainly."""
    for name in modules:
        try:
            module = importlib.import_module(name)
            getattr(module, "warm_up", int)()
        except Exception:
            logger.exception("%s cannot be imported for all crawls at once", name)
    if "twisted.internet.reactor" in sys.modules:
        raise RuntimeError("a module imported for all crawls has installed Twisted's reactor")
    gc.collect()
    gc.freeze()  # so that a child's collector does not write to, and copy, what is shared


@dataclass
class Running:
    """A child: `asked` is the moment its owner wished it to end, `sent` the number of signals it was sent since."""

    pid: int
    channel: socket.socket
    asked: float | None = None
    sent: int = 0


class Server:
    """Forks children, ends those whose owner is gone or wishes it, and tells how they ended."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.running: dict[int, Running] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        self.selector.register(woken, selectors.EVENT_READ)
        self._wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # it ends with its owner, after its children

    def run(self) -> None:
        """Serve until the owner has closed the control socket or died, and every child has ended."""
        open_for_more = True
        while open_for_more or self.running:
            for key, _ in self.selector.select(self._send_signals()):
                if key.fileobj is self.control:
                    open_for_more = self._take_request()
                elif isinstance(key.data, Running):
                    key.data.asked = time.monotonic()
                    self.selector.unregister(key.fileobj)
                else:
                    with suppress(BlockingIOError):
                        key.fileobj.recv(4096)  # type: ignore[union-attr]
            self._reap()

    def _take_request(self) -> bool:
        head, channels, _, _ = socket.recv_fds(self.control, LENGTH.size, 1)
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        body = self.control.recv(size, socket.MSG_WAITALL) if size else b""
        if not channels or not body or len(body) < size:
            self.selector.unregister(self.control)
            return False
        channel, server = socket.socket(fileno=channels[0]), os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            logger.error("no child can be forked: %s", error)  # noqa: TRY400  the message is all of it
            channel.close()  # its owner takes it for one that was killed
            return True
        if pid == 0:
            self._become_child(server, body, channel)
        child = self.running[pid] = Running(pid, channel)
        self.selector.register(channel, selectors.EVENT_READ, child)
        tell(channel, {"began": pid})
        return True

    def _become_child(self, server: int, body: bytes, channel: socket.socket) -> NoReturn:
        """Never returns: what this process was as a server must not run on in it."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for number in (signal.SIGTERM, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            die_with(server)
            self.selector.close()
            for end in (self.control, self._wake, *(other.channel for other in self.running.values())):
                end.close()
            gc.enable()
            from scheduler.crawls import visit

            code = visit(json.loads(body), channel)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            logger.exception("the visit failed")
        finally:
            logging.shutdown()
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)

    def _send_signals(self) -> float | None:
        """Send what is due to children that are to end; return the seconds until the next signal is, None when none will be."""
        now, waits = time.monotonic(), []
        for child in self.running.values():
            if child.asked is None:
                continue
            while child.sent < len(SIGNALS) and child.asked + SIGNALS[child.sent][0] <= now:
                # a number that was not waited for belongs to no other process
                os.kill(child.pid, SIGNALS[child.sent][1])
                child.sent += 1
            if child.sent < len(SIGNALS):
                waits.append(child.asked + SIGNALS[child.sent][0] - now)
        return min(waits, default=None)

    def _reap(self) -> None:
        for child in list(self.running.values()):
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if not pid:
                continue
            del self.running[pid]
            if child.asked is None:
                self.selector.unregister(child.channel)
            cpu = used.ru_utime + used.ru_stime
            tell(child.channel, {"ended": os.waitstatus_to_exitcode(status), "cpu": cpu})
            child.channel.close()


def tell(channel: socket.socket, what: dict[str, float]) -> None:
    """Send one line to the child's owner, if there still is one."""
    with suppress(OSError):
        channel.sendall(json.dumps(what).encode() + b"\n")


def die_with(server: int) -> None:
    """Let the kernel end this process when the server dies before its time (Linux; elsewhere the visit's own limit does)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Serve on the control socket whose descriptor is the first argument; the others name modules to import."""
    set_up_as_parent()
    gc.disable()
    server = Server(socket.socket(fileno=int(arguments[0])))
    preload([*PRELOADED, *arguments[1:]])
    server.run()


if __name__ == "__main__":
    main(sys.argv[1:])
