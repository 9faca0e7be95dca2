"""Fetch one address by hand, for `inspect`, `source try` and `article add`; spiders use Scrapy."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

#: Bytes of the largest page or PDF that is taken by hand.
MAX_BYTES = 40 * 2**20


class FetchError(Exception):
    """An address that could not be fetched; the message names it and the reason."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched page under its final address; `declared` is the charset of its Content-Type."""

    url: str
    body: bytes
    content_type: str = ""
    declared: str | None = None


class _CheckedRedirect(HTTPRedirectHandler):
    def __init__(self, allow_private: bool) -> None:
        self.allow_private = allow_private

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        _check(newurl, self.allow_private)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, *, user_agent: str, timeout: float = 30, allow_private: bool = False) -> Fetched:
    """Return the page at `url`. Raises FetchError for anything but a 200, for other schemes and, unless allowed, private addresses."""
    _check(url, allow_private)
    opener: OpenerDirector = build_opener(ProxyHandler({}), _CheckedRedirect(allow_private))
    try:
        with opener.open(Request(url, headers={"User-Agent": user_agent}), timeout=timeout) as response:  # noqa: S310
            body = response.read(MAX_BYTES + 1)
            if len(body) > MAX_BYTES:
                raise FetchError(f"{url}: larger than {MAX_BYTES // 2**20} MB")
            return Fetched(
                response.url,
                body,
                response.headers.get_content_type(),
                response.headers.get_content_charset(),
            )
    except HTTPError as error:
        raise FetchError(f"{url}: HTTP {error.code}") from error
    except (URLError, OSError, ValueError) as error:
        raise FetchError(f"{url}: {getattr(error, 'reason', error)}") from error


def _check(url: str, allow_private: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError(f"{url}: only http and https addresses are fetched")
    if allow_private:
        return
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        raise FetchError(f"{url}: {error}") from error
    private = next(
        (
            entry[4][0]
            for entry in found
            if not ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global
        ),
        None,
    )
    if private:
        raise FetchError(
            f"{url}: leads to the private address {private}; say --allow-private if that is meant"
        )
