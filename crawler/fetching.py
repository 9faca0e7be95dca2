"""Fetch one address by hand, for `inspect`, `source try` and `article add`; spiders use Scrapy."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from crawler.public_addresses import is_public

#: Bytes of the largest page or PDF that is taken by hand.
MAX_BYTES = 40 * 2**20
#: A whole page may take as many times the timeout of a single step, however steadily it drips.
MAX_STEPS = 4


class FetchError(Exception):
    """An address that could not be fetched; the message names it and the reason."""


class PrivateAddressError(OSError):
    """A name that leads into a private network, which may be meant: then the caller says so."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched page under its final address; `declared` is the charset of its Content-Type."""

    url: str
    body: bytes
    content_type: str = ""
    declared: str | None = None


class _CheckedRedirect(HTTPRedirectHandler):
    max_redirections = 5
    max_repeats = 2

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    url: str,
    *,
    user_agent: str,
    timeout: float = 30,
    allow_private: bool = False,
    say_private: str = "say --allow-private",
) -> Fetched:
    """Return the page at `url`. Raises FetchError for anything but a 200, for other schemes and, unless allowed, private addresses.

    `say_private` is what an operator has to do to allow them.
    `timeout` (seconds) holds for each step; the body may take MAX_STEPS times as long in all.
    """
    _check_scheme(url)
    handlers = [_Http(allow_private), _Https(allow_private), _CheckedRedirect()]
    opener: OpenerDirector = build_opener(ProxyHandler({}), *handlers)
    until = time.monotonic() + MAX_STEPS * timeout
    try:
        with opener.open(Request(url, headers={"User-Agent": user_agent}), timeout=timeout) as response:  # noqa: S310
            return Fetched(
                response.url,
                _read(url, response, until),
                response.headers.get_content_type(),
                response.headers.get_content_charset(),
            )
    except HTTPError as error:
        raise FetchError(f"{url}: HTTP {error.code}") from error
    except (URLError, OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        hint = f"; {say_private} if that is meant" if isinstance(reason, PrivateAddressError) else ""
        raise FetchError(f"{url}: {reason or type(error).__name__}{hint}") from error


def _read(url: str, response: Any, until: float) -> bytes:
    body = bytearray()
    while part := response.read1(65_536):
        body += part
        if len(body) > MAX_BYTES:
            raise FetchError(f"{url}: larger than {MAX_BYTES // 2**20} MB")
        if time.monotonic() > until:
            raise FetchError(f"{url}: too slow")
    return bytes(body)


def _check_scheme(url: str) -> None:
    try:
        parts = urlsplit(url)
        wanted = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        wanted = False
    if not wanted:
        raise FetchError(f"{url}: only http and https addresses are fetched")


def _connect(
    where: tuple[str, int], timeout: Any = None, _source: Any = None, *, allow_private: bool
) -> socket.socket:
    """Connect to the very address that was looked at: asking for the name twice may give two answers."""
    last: OSError = OSError(f"{where[0]} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(*where, type=socket.SOCK_STREAM):
        if not (allow_private or is_public(str(address[0]))):
            raise PrivateAddressError(f"leads to the private address {address[0]}")
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last


def _checked(kind: type[HTTPConnection], allow_private: bool) -> Any:
    def make(*args: Any, **kwargs: Any) -> HTTPConnection:
        connection = kind(*args, **kwargs)
        connection._create_connection = partial(_connect, allow_private=allow_private)  # type: ignore[attr-defined]  # noqa: SLF001
        return connection

    return make


class _Http(HTTPHandler):
    def __init__(self, allow_private: bool) -> None:
        super().__init__()
        self._make = _checked(HTTPConnection, allow_private)

    def http_open(self, req: Request) -> Any:
        return self.do_open(self._make, req)


class _Https(HTTPSHandler):
    def __init__(self, allow_private: bool) -> None:
        super().__init__()
        self._make = _checked(HTTPSConnection, allow_private)

    def https_open(self, req: Request) -> Any:
        return self.do_open(self._make, req)
