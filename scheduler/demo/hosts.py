"""One loopback HTTP server per sample site."""

from __future__ import annotations

import socket
import threading
import time
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from scheduler.demo.reply import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scheduler.demo.reply import Reply

#: How long `close()` may wait for the loop of a server, in seconds.
_POLL = 0.05


class SampleHost(ThreadingHTTPServer):
    """Serves `replies` (path with query -> Reply) on a loopback address.

    Where the platform has only one loopback address (macOS) the host falls back to 127.0.0.1; where `port` is taken, to
    a free one. `fault` set to a status makes every path but robots.txt answer with it; `delay` seconds pass before each
    answer.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: str, port: int, record: Callable[[str, str, int], None]) -> None:
        self.replies: Mapping[str, Reply] = {}
        self.fault: int | None = None
        self.delay = 0.0
        self.record = record
        try:
            super().__init__((address, port), _Answer)
        except OSError:
            super().__init__((_usable(address), 0), _Answer)
        self.netloc = f"{self.server_name}:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL,), daemon=True)

    def server_bind(self) -> None:
        """Bind without asking the resolver for the name of the host, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving and free the port; idempotent."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is none of our business."""


def _usable(address: str) -> str:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return "127.0.0.1"
    return address


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sample"
    sys_version = ""
    timeout = 30
    wbufsize = -1  # head and body leave in one packet: no delayed-ACK pause of 40 ms
    server: SampleHost

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gives it
        """Requests are recorded by the sample web, not printed."""

    def _answer(self) -> None:
        time.sleep(self.server.delay)
        fault = self.server.fault
        reply = self.server.replies.get(self.path)
        if fault is not None and self.path != "/robots.txt":
            self._error(fault)
        elif reply is None:
            self._error(404)
        elif self._is_fresh(reply):
            self._send(304, reply, b"")
        else:
            self._send(200, reply, reply.body)

    def _is_fresh(self, reply: Reply) -> bool:
        """RFC 9110: If-None-Match decides when it is there, else If-Modified-Since."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return any(tag.strip().removeprefix("W/") in (reply.etag, "*") for tag in tags.split(","))
        since = self.headers.get("If-Modified-Since")
        if since is None:
            return False
        try:
            return parsedate_to_datetime(since) >= parsedate_to_datetime(reply.last_modified)
        except (ValueError, TypeError):
            return False

    def _send(self, status: int, reply: Reply, body: bytes) -> None:
        headers = {"ETag": reply.etag, "Last-Modified": reply.last_modified, **reply.headers}
        if status == 200:
            headers["Content-Type"] = reply.content_type
        self._write(status, headers, body)

    def _error(self, status: int) -> None:
        body = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>".encode()
        self._write(status, {"Content-Type": HTML}, body)

    def _write(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.server.record(self.server.netloc, self.path, status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
