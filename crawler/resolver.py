"""Addresses the crawler may talk to: public ones, and those of sources marked `internal`.

Every name and every address literal goes through the resolver, after redirects too, so a page cannot lead the crawler to
the machine it runs on, its neighbours or a cloud's metadata service.
"""

from __future__ import annotations

from typing import Any

from scrapy.resolver import CachingThreadedResolver
from twisted.internet import defer
from twisted.internet.error import DNSLookupError

from crawler.public_addresses import is_public

#: Hosts that sources marked `internal` name; filled by the spider loader's configuration before the first request.
internal_hosts: set[str] = set()
#: Names that were refused, with the address they led to; Twisted reports a refusal like a name that does not exist.
refused: dict[str, str] = {}


class PublicResolver(CachingThreadedResolver):
    """Refuses names that lead to loopback, private, link-local, multicast or reserved addresses."""

    def getHostByName(self, name: str, timeout: Any = ()) -> Any:  # noqa: N802
        """Return the address of `name` or fail with DNSLookupError."""
        found = super().getHostByName(name, timeout)
        return found if name in internal_hosts else found.addCallback(_public, name)


def _public(address: str, name: str) -> str | defer.Deferred[str]:
    if is_public(address):
        return address
    refused[name] = address
    raise DNSLookupError(f"{name} leads to the private address {address}")
