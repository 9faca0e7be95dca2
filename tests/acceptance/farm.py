"""A hundred sites on loopback addresses, one port, one thread: what they were asked, when, and how much at once."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import pairwise

Headers = dict[str, str]
Reply = tuple[int, Headers, bytes]
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; `at` is a monotonic time in seconds."""

    host: str
    path: str
    status: int
    at: float
    agent: str


@dataclass
class Farm:
    """Answers by (host, path) or by path alone; a function gets the request's headers, lower case.

    A new connection takes `setup` seconds until its first request is noticed, as a handshake does.
    """

    hosts: list[str]
    port: int = 0
    latency: float = 0.01
    setup: float = 0.0
    pages: dict[tuple[str, str], bytes | Reply | Callable[[Headers], Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    most_at_once: Counter[str] = field(default_factory=Counter)
    _now: Counter[str] = field(default_factory=Counter)

    def root(self, host: str) -> str:
        return f"http://{host}:{self.port}"

    def paths(self, kind: str = "") -> list[str]:
        return [one.path for one in self.asked if one.path.startswith(kind)]

    def gaps(self) -> dict[str, list[float]]:
        """Seconds between one request and the next of the same host."""
        times: dict[str, list[float]] = defaultdict(list)
        for one in self.asked:
            times[one.host].append(one.at)
        return {host: [b - a for a, b in pairwise(at)] for host, at in times.items()}

    def forget(self) -> None:
        self.asked.clear()
        self.most_at_once.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.setup)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = await reader.readline()
        if not line.strip():
            return False
        at, path, headers = time.monotonic(), line.split()[1].decode("latin-1"), await _headers(reader)
        host = headers.get("host", "").partition(":")[0]
        self._now[host] += 1
        self.most_at_once[host] = max(self.most_at_once[host], self._now[host])
        status, more, body = self._answer(host, path, headers)
        self.asked.append(Asked(host, path, status, at, headers.get("user-agent", "")))
        await asyncio.sleep(self.latency)
        lines = [
            f"HTTP/1.1 {status} X",
            f"Date: {formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in more.items()),
        ]
        writer.write("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body)
        self._now[host] -= 1
        await writer.drain()
        return True

    def _answer(self, host: str, path: str, headers: Headers) -> Reply:
        page = self.pages.get((host, path), self.pages.get(("", path), (404, HTML, b"not here")))
        if callable(page):
            return page(headers)
        return (200, HTML, page) if isinstance(page, bytes) else page


async def _headers(reader: asyncio.StreamReader) -> Headers:
    found: Headers = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        found[name.lower()] = value.strip()
    return found


@contextmanager
def running(hosts: list[str]) -> Iterator[Farm]:
    """Serve the hosts until the block ends."""
    farm = Farm(hosts)
    with socket.socket() as probe:
        probe.bind((hosts[0], 0))
        farm.port = probe.getsockname()[1]
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def start() -> None:
        await asyncio.start_server(farm.serve, hosts, farm.port)
        ready.set()

    def run() -> None:
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield farm
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
