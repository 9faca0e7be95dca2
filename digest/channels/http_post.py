"""One POST of JSON, straight to its host: no proxy, no redirect, verified TLS, and the hook before the last octet."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from digest.channels.base import BeforeTheDot, DeliveryError
from store.text import clean_line

_MAX_ANSWER = 65_536


@dataclass(frozen=True)
class Endpoint:
    """Where to post. The path and query of such a URL are its password, so only the host is ever shown."""

    url: str = field(repr=False)
    timeout: float = 15.0
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    def connect(self) -> tuple[http.client.HTTPConnection, str]:
        """Return an unconnected connection and the target. Raises DeliveryError for a URL that must not be used."""
        if not self.url.isascii() or any(character <= " " for character in self.url):
            raise self._unusable()
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise self._unusable() from None
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not parts.hostname or parts.username is not None:
            raise self._unusable()
        if parts.scheme == "https":
            context = self.tls_context or ssl.create_default_context()
            return http.client.HTTPSConnection(
                parts.hostname, port, timeout=self.timeout, context=context
            ), target
        if parts.scheme == "http" and _is_loopback(parts.hostname):
            return http.client.HTTPConnection(parts.hostname, port, timeout=self.timeout), target
        raise self._unusable()

    def _unusable(self) -> DeliveryError:
        return DeliveryError(
            f"the address of the robot or webhook at {clean_line(self.host)[:80] or 'nowhere'} is no https URL; "
            "copy it again from the chat's settings",
            permanent=True,
            reason="not_configured",
        )


class HttpChannel:
    """The part of a channel that is one POST to an address: what there is to know before it."""

    def __init__(
        self, endpoint: Endpoint, secret: str = "", *, clock: Callable[[], float] = time.time
    ) -> None:
        self._endpoint, self._secret, self._clock = endpoint, secret, clock

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._endpoint.host})"

    def check(self) -> None:
        self.open()

    def open(self) -> None:
        self._endpoint.connect()

    def close(self) -> None:
        return


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Answer:
    """What came back: the status and, when it was a JSON object, its content."""

    status: int
    content: dict[str, Any]


def encode_body(body: dict[str, Any]) -> bytes:
    """Return a JSON body as UTF-8; lone surrogates become question marks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def post(endpoint: Endpoint, octets: bytes, headers: dict[str, str], before_the_dot: BeforeTheDot) -> Answer:
    """Post `octets` and return the answer. Raises DeliveryError: passing before the last octet, in doubt behind it."""
    connection, target = endpoint.connect()
    watch = threading.Timer(2 * endpoint.timeout, _hang_up, [connection])
    watch.daemon = True
    watch.start()
    try:
        _begin(endpoint, connection, target, octets, headers)
        before_the_dot()
        return _end(endpoint, connection, octets[-1:])
    finally:
        watch.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """End a conversation that drips along; a read elsewhere then fails."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(2)


def _begin(
    endpoint: Endpoint,
    connection: http.client.HTTPConnection,
    target: str,
    octets: bytes,
    headers: dict[str, str],
) -> None:
    try:
        connection.putrequest("POST", target, skip_accept_encoding=True)
        fields = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(octets))}
        for name, value in (fields | headers).items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(octets[:-1])
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        raise DeliveryError(
            f"{endpoint.host}: no trustworthy TLS ({clean_line(str(why))}); nothing was sent",
            permanent=True,
            reason="bad_tls",
        ) from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise DeliveryError(f"{endpoint.host} cannot be reached ({why})", reason="unreachable") from None


def _end(endpoint: Endpoint, connection: http.client.HTTPConnection, last: bytes) -> Answer:
    try:
        connection.send(last)
        response = connection.getresponse()
        octets = response.read(_MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryError(
            f"{endpoint.host}: {type(error).__name__} instead of an answer; the message may have arrived",
            in_doubt=True,
            reason="no_answer",
        ) from None
    try:
        content = msgspec.json.decode(octets)
    except (msgspec.DecodeError, RecursionError):
        content = None
    return Answer(response.status, content if isinstance(content, dict) else {})


def judge_status(endpoint: Endpoint, answer: Answer) -> None:
    """Raise what an HTTP status other than 2xx means."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status in {429, 503}:
        raise DeliveryError(
            f"{endpoint.host}: HTTP {status}, too busy", blame="message", reason="busy", reply=str(status)
        )
    if status >= 500:
        raise DeliveryError(
            f"{endpoint.host}: HTTP {status}; the message may have arrived",
            in_doubt=True,
            reason="server_error",
            reply=str(status),
        )
    raise DeliveryError(
        f"{endpoint.host}: HTTP {status}; copy the address again from the chat's settings",
        permanent=True,
        reason="refused",
        reply=str(status),
    )
