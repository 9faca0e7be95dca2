"""A web on this machine whose hosts mean no good: each at a loopback address of its own, so that they are visited at once."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.loopback import PROXY_VARIABLES
from tests.processes import family, memory

#: Given the connection's file and the path, writes whatever it likes.
Answer = Callable[["Visit"], None]


@dataclass
class Visit:
    """One request and the way to answer it."""

    path: str
    write: Callable[[bytes], object]
    port: int

    def page(
        self, body: bytes, head: str = "", kind: str = "text/html; charset=utf-8", status: str = "200 OK"
    ) -> None:
        """A whole, well-formed response."""
        start = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{head}\r\n"
        self.write(start.encode() + body)

    def redirect(self, where: str) -> None:
        self.page(b"", f"Location: {where}\r\n", status="302 Found")


@dataclass
class Host:
    """A host: `answer` decides; `asked` are the paths that were asked for, robots.txt left out."""

    address: str
    answer: Answer
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def root(self) -> str:
        return f"http://{self.address}:{self.port}"


@contextmanager
def serving(*hosts: Host) -> Iterator[None]:
    """Serve the hosts, each on a port of its own."""
    servers = [_server(host) for host in hosts]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    for server in servers:
        server.shutdown()
        server.server_close()


def _server(host: Host) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visit = Visit(self.path, self.wfile.write, host.port)
            self.close_connection = True
            with suppress(OSError):
                if self.path == "/robots.txt":
                    visit.page(b"", status="404 Not Found")
                    return
                host.asked.append(self.path)
                host.answer(visit)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host.address, 0), Handler)
    server.daemon_threads = True
    host.port = server.server_address[1]
    return server


def list_page(links: list[str]) -> bytes:
    """A column page with one title per link."""
    rows = "".join(
        f'<li><a href="{href}">合川高新区第{number}次党建工作会议召开</a><span>2026-11-20</span></li>'
        for number, href in enumerate(links)
    )
    return f'<html><head><meta charset="utf-8"><title>党建</title></head><body><ul class="list">{rows}</ul></body></html>'.encode()


def gzip_bomb(megabytes: int) -> bytes:
    """A small gzip file that unpacks to so many megabytes."""
    return gzip.compress(bytes(megabytes * 2**20), compresslevel=9)


def drip(visit: Visit) -> None:
    """A byte every fifth of a second, for five minutes: never silent, never done."""
    visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(1500):
        visit.write(b"<")
        time.sleep(0.2)


def endless_body(visit: Visit) -> None:
    """As much as is taken."""
    visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")
    while True:
        visit.write(b"<p>" * 20_000)


def endless_head(visit: Visit) -> None:
    """Header lines without end."""
    visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    while True:
        visit.write(b"".join(b"X-%d: %s\r\n" % (number, b"y" * 60) for number in range(1000)))


@dataclass
class Done:
    """What a command came to."""

    code: int
    output: str
    seconds: float
    megabytes: float  # the most memory it ever held


def run(folder: Path, *command: str, seconds: float = 100, proxy: str = "") -> Done:
    """Run `parknews` in a folder and measure it; killed after so many seconds. `proxy` stands in the environment."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
    environment |= {"PARKNEWS_CONFIG": str(folder / "parknews.toml")}
    if proxy:
        environment |= dict.fromkeys(PROXY_VARIABLES, proxy)
    output = folder / "output.txt"
    started = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "parknews"), *command],
            stdout=file,
            stderr=file,
            env=environment,
            cwd=folder,
        )
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        megabytes = 0.0
        while process.poll() is None:
            megabytes = max(megabytes, *(memory(pid, "VmHWM") for pid in family(process.pid)))
            time.sleep(0.05)
        timer.cancel()
    return Done(process.returncode, output.read_text(errors="replace"), time.monotonic() - started, megabytes)
