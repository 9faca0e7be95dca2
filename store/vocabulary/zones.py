"""The gazetteer: high-tech zones with every name, host and street that tells one from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from store.vocabulary.loading import VocabularyFile, read_toml

if TYPE_CHECKING:
    from pathlib import Path

NATIONAL = "national"
PROVINCIAL = "provincial"

_WORDS = ("aliases", "weak", "streets", "companies", "hosts", "outlets")
_KEYS = frozenset(
    {"short", "official", "level", "province", "city", "approved", "status", "ambiguous", *_WORDS}
)


@dataclass(frozen=True, slots=True)
class Zone:
    """One high-tech zone. `short` is its name in tags, unique among all zones and their aliases.

    `weak` names count only beside other zone words; `ambiguous` maps a name shared by several zones to the words that
    decide for this one. `status` says how well the national level is known, `approved` is a year as text.
    """

    short: str
    official: str
    level: str
    province: str
    city: str
    approved: str = ""
    status: str = ""
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    streets: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    outlets: tuple[str, ...] = ()
    ambiguous: dict[str, tuple[str, ...]] = field(default_factory=dict)


def load_zones(directory: Path | None = None) -> list[Zone]:
    """Return the zones of `directory/zones.toml`, or of the product's own file when there is none.

    Raises VocabularyError (`FILE:LINE: message`) for broken TOML, unknown keys and names that two zones share.
    """
    document = read_toml("zones.toml", directory)
    zones = []
    owners: dict[str, str] = {}
    for line, table in document.tables("zone"):
        zone = _zone(document, table, line)
        _claim_names(document, zone, owners, line)
        zones.append(zone)
    return zones


def _zone(document: VocabularyFile, table: dict[str, Any], line: int) -> Zone:
    document.known_keys(table, _KEYS, line)
    level = document.string(table, "level", line)
    if level not in {NATIONAL, PROVINCIAL}:
        raise document.error(
            f"level must be national or provincial, not {level!r}", document.line_of("level", line)
        )
    return Zone(
        short=document.string(table, "short", line),
        official=document.string(table, "official", line),
        level=level,
        province=document.string(table, "province", line),
        city=document.string(table, "city", line),
        approved=document.string(table, "approved", line, needed=False),
        status=document.string(table, "status", line, needed=False),
        ambiguous=_ambiguous(document, table, line),
        **{key: document.strings(table, key, line) for key in _WORDS},
    )


def _ambiguous(document: VocabularyFile, table: dict[str, Any], line: int) -> dict[str, tuple[str, ...]]:
    found = table.get("ambiguous", {})
    if not isinstance(found, dict):
        raise document.error(
            "ambiguous must map a name to the words that decide", document.line_of("ambiguous", line)
        )
    return {name: document.strings(found, name, document.line_of("ambiguous", line)) for name in found}


def _claim_names(document: VocabularyFile, zone: Zone, owners: dict[str, str], line: int) -> None:
    for name in dict.fromkeys((zone.short, zone.official, *zone.aliases, *zone.weak)):
        owner = owners.setdefault(name, zone.short)
        if owner != zone.short or (name == zone.short and f"#{name}" in owners):
            raise document.error(
                f"{name!r} is already a name of {owner}", document.line_of(f'"{name}"', line)
            )
    owners[f"#{zone.short}"] = zone.short
