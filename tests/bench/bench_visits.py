"""What a visit costs that finds nothing new: `python tests/bench/bench_visits.py [--visits N]`.

One source of five lists on a loopback web that answers all of them with 304. CPU is each process's own `wait4` record, taken in
turns: `scrapy crawl`, then visits by children of the fork server. Then what a page of 300 MB and a bomb take of a child's memory.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from crawler.context import CrawlContext  # noqa: E402
from scheduler.crawls import fork_server, start_visit  # noqa: E402
from scheduler.forkserver import Child, ForkServer, wait_for  # noqa: E402
from scheduler.logs import set_up_logging  # noqa: E402
from store.config import load_config  # noqa: E402
from tests.loopback import Site  # noqa: E402
from tests.processes import memory  # noqa: E402

LISTS = 5
HUGE = 300 * 2**20


class Web(BaseHTTPRequestHandler):
    """Lists that never change, a page without end and a bomb."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer by the path."""
        if self.path.startswith("/list"):
            titles = [(f"/a/20261120{number}.html", f"宝鸡高新区第{number}次党建会") for number in range(20)]
            self.answer(Site.list_page(titles), {"ETag": '"1"'})
        elif self.path.startswith("/a/"):
            self.answer(
                Site.article_page(f"宝鸡高新区党建会{self.path}", [f"宝鸡高新区党建会{self.path}。" * 20])
            )
        elif self.path == "/bomb":
            self.answer(gzip.compress(bytes(HUGE), 9), {"Content-Encoding": "gzip"})
        elif self.path == "/huge":
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.close_connection = True
            with suppress(OSError):
                for _ in range(HUGE // 2**16):
                    self.wfile.write(b"<p>" * (2**16 // 3))
        else:
            self.send_error(404)

    def answer(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send the page, or 304 to one who has it."""
        known = headers and headers.get("ETag") == self.headers.get("If-None-Match") is not None
        self.send_response(304 if known else 200)
        for name, value in ({"Content-Type": "text/html; charset=utf-8"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0" if known else str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if known else body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def office() -> Iterator[CrawlContext]:
    """A folder with three sources on a running web."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_address[1]}"
    urls = {"lists": [f"{root}/list{number}/" for number in range(LISTS)]}
    urls |= {"bomb": [f"{root}/bomb"], "huge": [f"{root}/huge"]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "parknews.toml").write_text("[crawl]\ndelay = 0\nrecheck_days = 0\n", encoding="utf-8")
        (folder / "sources.toml").write_text(
            "".join(
                f'[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "网"\nurls = {addresses!r}\ninternal = true\n'
                for name, addresses in urls.items()
            ).replace("'", '"'),
            encoding="utf-8",
        )
        os.environ |= {
            "PARKNEWS_CONFIG": str(folder / "parknews.toml"),
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
        }
        yield CrawlContext(load_config())
    server.shutdown()


def scrapy_crawl() -> float:
    """Return the CPU seconds of a visit as `scrapy crawl` makes it."""
    command = [str(Path(sys.executable).parent / "scrapy"), "crawl", "lists"]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def visit(server: ForkServer, context: CrawlContext, name: str) -> tuple[Child, float, float]:
    """Visit a source; return the child, its peak, and the most that was its own alone, in MB."""
    source = next(source for source in context.sources if source.name == name)
    child = start_visit(server, source, context.source_ids[name])
    peak = own = 0.0
    while not child.ended():
        wait_for([child], 0.02)
        if server.process:
            children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
            for pid in map(int, children.split()):
                peak = max(peak, memory(pid, "VmHWM"))
                own = max(own, memory(pid, "Private_Dirty"))
    return child, peak, own


def main() -> None:
    """Print the costs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visits", type=int, default=50)
    given = options.parse_args()
    set_up_logging(verbose=False)
    with office() as context:
        server, errors = fork_server(context.config), os.dup(2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the server's, and so its children's
        child, peak, own = visit(server, context, "lists")
        os.dup2(errors, 2)
        print(
            f"first visit, {20} articles          {child.cpu:6.3f} s CPU, peak {peak:4.0f} MB, {own:3.0f} its own"
        )
        olds, news = [], []
        for number in range(1, given.visits + 1):
            if number <= 5:
                olds.append(scrapy_crawl())
            child, peak, own = visit(server, context, "lists")
            news.append(child.cpu)
            if number in {1, 10, given.visits} and server.process:
                size = memory(server.process.pid)
                print(
                    f"visit {number:3} with nothing new        {child.cpu:6.3f} s CPU, peak {peak:4.0f} MB, {own:3.0f} its own; fork server {size:.0f} MB"
                )
        old, new = statistics.median(olds), statistics.median(news)
        print(f"scrapy crawl, median            {old:6.3f} s CPU")
        print(f"forked child, median            {new:6.3f} s CPU: 1/{old / new:.0f} (wanted <= 0.2 s)")
        for name in ("huge", "bomb"):
            child, peak, own = visit(server, context, name)
            print(
                f"{name}, {HUGE >> 20} MB                    {child.cpu:6.3f} s CPU, peak {peak:4.0f} MB, {own:3.0f} its own (wanted <= 120)"
            )
        server.close()


if __name__ == "__main__":
    main()
