"""The web as a server of its own thread: for `parknews web` and inside the daemon."""

from __future__ import annotations

import logging
import threading
from typing import Any

from waitress import create_server, wasyncore

from digest.web.app import create_app
from digest.web.visitor import is_loopback
from store.config import Config, ConfigError
from store.database import Engine

logger = logging.getLogger(__name__)
#: Seconds a silent connection is kept, connections at once, bytes of a request's head, threads that answer.
CHANNEL_SECONDS, MAX_CONNECTIONS, MAX_HEAD, THREADS = 30, 200, 16_384, 4
#: Bytes of a request's body that are read at all; the application itself takes less.
MAX_BODY = 128 * 1024


class Server:
    """A running server; `url` is where it answers. `close` ends it and returns within a few seconds."""

    def __init__(self, application: Any, host: str, port: int) -> None:
        self._map: dict[int, Any] = {}
        try:
            self._server: Any = create_server(
                application,
                map=self._map,
                host=host,
                port=port,
                ident="",
                threads=THREADS,
                channel_timeout=CHANNEL_SECONDS,
                connection_limit=MAX_CONNECTIONS,
                max_request_header_size=MAX_HEAD,
                max_request_body_size=MAX_BODY,
                clear_untrusted_proxy_headers=False,  # digest.web.visitor decides whom to believe
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(
                f"web: {host}:{port} cannot be listened on ({reason}); choose another [web] port"
            ) from error
        listening = getattr(self._server, "effective_listen", None) or [
            (self._server.effective_host, self._server.effective_port)
        ]
        self.host, self.port = listening[0][0], int(listening[0][1])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    def close(self) -> None:
        """Take no more requests, finish those being answered, close every connection. May be repeated."""
        self._ending.set()
        self._thread.join(timeout=5)

    def wait(self) -> None:
        """Return when the server has ended; an interrupt passes through."""
        while self._thread.is_alive():
            self._thread.join(timeout=1)

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                wasyncore.loop(timeout=0.5, use_poll=True, map=self._map, count=1)
        finally:
            self._server.task_dispatcher.shutdown(timeout=3)
            wasyncore.close_all(self._map, ignore_all=True)


def start(engine: Engine, config: Config, *, host: str | None = None, port: int | None = None) -> Server:
    """Serve the web application; `host` and `port` come before [web]. Raises ConfigError when nobody can listen there."""
    server = Server(
        create_app(engine, config), host or config.web.host, config.web.port if port is None else port
    )
    logger.info("the web is served at %s", server.url)
    for warning in warnings(config, server.host):
        logger.warning("%s", warning)
    return server


def warnings(config: Config, host: str) -> list[str]:
    """Return what an operator should know about listening at `host`, one line each."""
    if is_loopback(host):
        return []
    found = []
    if not config.digest.public_url.startswith("https:"):
        found.append(
            f"{host} is reached by other machines without https: passwords and personal links can be read on the way;"
            ' put a reverse proxy with TLS before it and set [digest] public_url = "https://…"'
        )
    if config.web.public_archive:
        found.append("[web] public_archive is on: whoever reaches this server reads the archive")
    return found
