"""Mail addresses as they stand on the wire: internationalised domains in ASCII, nothing that could start a header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import idna

from store.config import is_address
from store.text import clean_line

_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


class AddressError(ValueError):
    """An address that cannot be written into a message; the message names it, shortened and cleaned."""


@dataclass(frozen=True)
class WireAddress:
    """An address for envelope and header. `utf8`: its local part needs a server with SMTPUTF8 (RFC 6531)."""

    local: str
    domain: str

    @property
    def utf8(self) -> bool:
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@lru_cache(maxsize=1024)
def ascii_domain(domain: str) -> str:
    """Return a domain name as IDNA 2008 (UTS 46) A-labels in lower case. Raises AddressError."""
    if domain.isascii():
        name = domain.lower()
    else:
        try:
            name = idna.encode(domain, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise AddressError(f"{clean_line(domain)[:80]!r} is no internet domain") from error
    if not _HOST.fullmatch(name):
        raise AddressError(f"{clean_line(domain)[:80]!r} is no internet domain")
    return name


@lru_cache(maxsize=256)
def wire_address(address: str) -> WireAddress:
    """Return `address` ready for the wire. Raises AddressError for anything that is not one plain mailbox."""
    if clean_line(address) != address or not is_address(address):
        raise AddressError(f"{clean_line(address)[:80]!r} is not a mail address; write name@example.cn")
    local, _, domain = address.rpartition("@")
    name = ascii_domain(domain)
    if len(local.encode()) > 64 or len(name) > 253 or not is_address(f"x@{name}"):
        raise AddressError(f"{address[:80]!r} is too long for a mail address")
    return WireAddress(local, name)


def domain_of(address: str) -> str:
    """Return the lower-case domain of an address, for pacing and tables; empty when there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""
