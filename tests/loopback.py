"""A loopback web whose every answer a test decides, and an office's folder to crawl it from."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import Engine

from store.database import make_engine

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """Pages by path; a page is an Answer, bytes (200, HTML), or a function of the request's headers."""

    port: int = 0
    pages: dict[str, Answer | bytes | Callable[[dict[str, str]], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    @staticmethod
    def article_page(
        title: str,
        paragraphs: list[str],
        *,
        source: str = "宝鸡日报",
        time: str = "2026-11-20 09:30",
        extra: str = "",
    ) -> bytes:
        """An article as a city portal shows it."""
        body = "".join(f"<p>　　{paragraph}</p>" for paragraph in paragraphs)
        return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}_宝鸡新闻网</title></head><body>
<div class="nav"><a href="/">首页</a> <a href="/news/">新闻</a> <a href="/video/">视频</a></div>
<div class="main"><h1>{title}</h1><div class="info">来源：{source}　{time}　责任编辑：李想</div>
<div class="content">{body}</div>{extra}</div><div class="footer">版权所有 宝鸡新闻网 ICP备00000000号</div></body></html>""".encode()

    @staticmethod
    def list_page(links: list[tuple[str, str]], extra: str = "") -> bytes:
        """A column page."""
        rows = "".join(
            f'<li><a href="{href}">{title}</a><span>2026-11-20</span></li>' for href, title in links
        )
        return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>党建要闻</title></head><body>
<div class="nav"><a href="/">首页</a><a href="/about.html">关于我们</a></div><ul class="list">{rows}</ul>{extra}</body></html>""".encode()


def answer_of(site: Site, path: str, headers: dict[str, str]) -> Answer:
    page = site.pages.get(path, (404, {}, b"not here"))
    if callable(page):
        page = page(headers)
    return (200, {"Content-Type": "text/html; charset=utf-8"}, page) if isinstance(page, bytes) else page


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer_of(made, self.path, dict(self.headers))
            made.asked.append((self.path, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            """A form is asked for like a query: `/path?name=value`."""
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.path = f"{self.path}?{form}"
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


#: What programs take for the address of a proxy that everything has to go through.
PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture
def proxy_nobody_may_use(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A proxy that the environment names; the test fails when anything was connected to it. The value is its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, address)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield address
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@dataclass
class Office:
    """A folder with a configuration; commands run in it as processes of their own, with `secrets` in their environment."""

    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def write_sources(self, text: str) -> None:
        (self.folder / "sources.toml").write_text(text, encoding="utf-8")

    def run(self, *command: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
        environment |= {
            "PARKNEWS_CONFIG": str(self.folder / "parknews.toml"),
            "SCRAPY_SETTINGS_MODULE": "crawler.settings",
            **self.secrets,
        }
        program = [str(Path(sys.executable).parent / command[0]), *command[1:]]
        return subprocess.run(
            program,
            capture_output=True,
            text=True,
            env=environment,
            timeout=timeout,
            cwd=self.folder,
            check=False,
        )

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Like `run` within this process: quicker, for commands that start no child."""
        from scheduler.cli import main

        outer = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
        given = {"PARKNEWS_CONFIG": str(self.folder / "parknews.toml"), **self.secrets}
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        code = 0
        with (
            patch.dict(os.environ, outer | given, clear=True),
            patch.object(sys, "argv", list(command)),
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())

    @property
    def engine(self) -> Engine:
        return make_engine(f"sqlite:///{self.folder / 'var' / 'parknews.db'}")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / "parknews.toml").write_text(
        "[crawl]\ndelay = 0\ntimeout = 5\nwall_seconds = 60\n", encoding="utf-8"
    )
    return Office(tmp_path)
