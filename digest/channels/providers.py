"""Chinese mail providers: their servers, the pace they bear, and what they call a password for programs."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import msgspec

from digest.pace import Limits, Pace
from store.config import Mail
from store.toml_file import parse_toml


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One provider. A pace of 0 means that none is known; `domains` are the addresses it receives for."""

    name: str
    host: str
    port: int
    security: str
    domains: list[str] = []
    starttls_port: int = 0
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    receive_per_minute: int = 0
    password: str = ""
    note: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    provider: list[Provider]


@lru_cache(maxsize=1)
def load_providers() -> tuple[Provider, ...]:
    """Return the table that comes with the product."""
    path = files("digest.channels") / "providers.toml"
    return tuple(parse_toml(path.read_text(encoding="utf-8"), _Table, "providers.toml").provider)


def provider_of_host(host: str) -> Provider | None:
    """Return the provider whose mail server `host` is, or None."""
    return next((provider for provider in load_providers() if provider.host == host.lower()), None)


def advice_for(host: str) -> str:
    """Return what to know about the server `host`, beginning with a space; empty when nothing is known."""
    if (provider := provider_of_host(host)) is None:
        return ""
    ports = f"{provider.port} ({provider.security})"
    if provider.starttls_port:
        ports += f" or {provider.starttls_port} (starttls)"
    return " " + " ".join(filter(None, (f"{provider.name}: port {ports}.", provider.password, provider.note)))


def pace_for(mail: Mail) -> Pace:
    """Return the pace of a mail server: the configured limits, stricter where its provider or a receiving one asks for it."""
    limits = Limits(mail.max_per_minute, mail.max_per_hour, mail.max_per_day)
    if provider := provider_of_host(mail.host):
        limits = limits.stricter(Limits(provider.per_minute, provider.per_hour, provider.per_day))
    receivers = {
        domain: Limits(per_minute=provider.receive_per_minute)
        for provider in load_providers()
        for domain in provider.domains
        if provider.receive_per_minute
    }
    return Pace(limits, receivers)
