"""Children forked from a process that has imported everything a crawl needs, so that a visit costs a tenth of a start.

The fork server (`scheduler.forking`) is started with the first child and is spoken to over a pair of sockets; every child has a
pair of its own. A child runs while the owner's end of its pair can be written to: `end` shuts that, and so does the owner's
death, whatever it died of. The server then ends the child by two SIGTERMs and a SIGKILL, within seven seconds.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from scheduler.logs import JSON_VARIABLE, VERBOSE_VARIABLE

logger = logging.getLogger(__name__)
#: What a visit needs of the environment's PARKNEWS_ variables. The others are secrets of mail, chats and the web: a process
#: that reads the pages of strangers must not hold them.
WANTED = frozenset({"PARKNEWS_CONFIG", "PARKNEWS_DATABASE_URL", JSON_VARIABLE, VERBOSE_VARIABLE})
#: Seconds without a child after which the server ends: it holds 90 MB, and a start costs it one second of CPU.
IDLE_SECONDS = 300.0
#: Seconds after which an ended child is gone for certain: the server's patience (6 s), and one more.
GONE_SECONDS = 7.0
#: Seconds that a server may take to start, import and fork before the child counts as running.
START_SECONDS = 300.0
#: What stands before a request on the server's socket: the request's length in bytes.
LENGTH = struct.Struct("!I")


class Child:
    """A forked child as its owner sees it."""

    def __init__(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._unread = b""
        self._started = time.monotonic() + START_SECONDS
        #: None while it runs; then its exit code, minus a signal's number where one ended it
        self.returncode: int | None = None
        #: seconds of processor time it took, known when it has ended
        self.cpu = 0.0
        #: what it reported and nobody has taken yet
        self.reports: list[dict[str, Any]] = []

    @property
    def seconds(self) -> float:
        """How long it has been running, whatever the wall clock was set to meanwhile; negative while the server starts."""
        return time.monotonic() - self._started

    def ended(self) -> bool:
        """Take in what came from the child; return whether it has ended. Never waits."""
        while self.returncode is None:
            try:
                came = self._channel.recv(65536)
            except BlockingIOError:
                return False
            except OSError:
                came = b""
            if not came:  # the server is gone, and the child with it
                self._end_with(-signal.SIGKILL)
            *lines, self._unread = (self._unread + came).split(b"\n")
            for report in map(json.loads, lines):
                if "ended" in report:
                    self._end_with(report["ended"], report["cpu"])
                elif "began" in report:
                    self._started = time.monotonic()
                else:
                    self.reports.append(report)
        return True

    def _end_with(self, code: int, cpu: float = 0.0) -> None:
        self.returncode, self.cpu = code, cpu
        self._channel.close()

    def end(self) -> None:
        """Ask the server to end the child; it is gone after GONE_SECONDS. May be repeated."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something new, -1 when the child has ended."""
        return self._channel.fileno()


def end_all(children: Sequence[Child]) -> None:
    """End the children together and wait until they have ended, GONE_SECONDS at most. What they had stored stays."""
    for child in children:
        child.end()
    limit = time.monotonic() + GONE_SECONDS
    while time.monotonic() < limit and not all(child.ended() for child in children):
        wait_for(children, 0.1)


def wait_for(children: Sequence[Child], seconds: float) -> None:
    """Wait until one of the children has something to say, so many seconds at most."""
    numbers = [number for child in children if (number := child.fileno()) >= 0]
    with suppress(OSError, ValueError):  # another thread took one in meanwhile
        select.select(numbers, [], [], seconds)


@dataclass
class ForkServer:
    """Starts children; starts itself when it is needed and anew when it has died. May be used from several threads.

    `modules` are imported by the server beside those of every crawl.
    """

    modules: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None
    _control: socket.socket | None = None
    _used: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, request: Mapping[str, Any]) -> Child:
        """Return a child that carries out `request` (JSON; see `scheduler.crawls.visit`). Raises OSError when none can be started."""
        body = json.dumps(request).encode()
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                self._send(body, theirs)
            except OSError:  # it died between two looks
                self._close()
                self._send(body, theirs)
            self._used = time.monotonic()
        return Child(ours)

    def _send(self, body: bytes, channel: socket.socket) -> None:
        control = self._running()
        socket.send_fds(control, [LENGTH.pack(len(body))], [channel.fileno()])
        control.sendall(body)

    def _running(self) -> socket.socket:
        if self._control and self.process and self.process.poll() is None:
            return self._control
        if self.process:
            logger.warning(
                "the fork server ended with code %s; a new one is started", self.process.returncode
            )
        self._close()
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-m", "scheduler.forking", str(theirs.fileno()), *self.modules],
                pass_fds=[theirs.fileno()],
                env={
                    name: value
                    for name, value in os.environ.items()
                    if name in WANTED or not name.startswith("PARKNEWS_")
                },
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a terminal's ^C is for the owner to pass on
            )
        return self._control

    def rest(self) -> None:
        """End the server if nothing was started for IDLE_SECONDS. To be called while no child runs."""
        with self._lock:
            if self._control and time.monotonic() - self._used > IDLE_SECONDS:
                self._close()

    def close(self) -> None:
        """Let the server end as soon as its children have; see `end_all`."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._control:
            self._control.close()
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
        self._control = self.process = None
