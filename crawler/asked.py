"""Which addresses a crawl has asked for: each is asked for once, whichever list leads to it."""

from __future__ import annotations

from scrapy import Request, Spider
from scrapy.dupefilters import BaseDupeFilter
from w3lib.url import canonicalize_url


class AskedAddresses(BaseDupeFilter):
    """Remembers addresses as they are, where Scrapy's own filter keeps the SHA-1 of a JSON text of each."""

    def __init__(self) -> None:
        self._asked: set[tuple[str, str, bytes]] = set()

    def request_seen(self, request: Request) -> bool:
        """Return whether the same was asked for before; from now on it was. Fragments and the order of parameters are all one."""
        url = canonicalize_url(request.url) if "?" in request.url or "#" in request.url else request.url
        before = len(self._asked)
        self._asked.add((request.method, url, request.body))
        return len(self._asked) == before

    def log(self, request: Request, spider: Spider) -> None:
        """Say nothing: lists lead to the same article as a matter of course."""
