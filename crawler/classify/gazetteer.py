"""Names of zones made searchable: what stands before 高新区, which words are a name, which city has which zone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crawler.classify.hosts import split_url, suffixes
from store.vocabulary.places import EVERYDAY, Prefecture, county_short
from store.vocabulary.zones import NATIONAL, PROVINCIAL, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crawler.classify.matching import WordList

#: Words that end the name of a zone; what stands before them tells which.
HEADS = (
    "高新区", "高新技术产业开发区", "高新技术产业园区", "高新技术产业园", "高新技术开发区", "高新技术园区", "高新园区",
    "高技术产业开发区", "高新技术产业示范区", "农业高新技术产业示范区", "高新开发区", "农高区", "高新技术产业区", "高新科技园",
)  # fmt: skip
#: Words by which an article speaks of the zone it has named, or of the one it comes from.
OWN_ANAPHORS = ("我区", "全区", "该区", "本区", "我园")
LOOSE_ANAPHORS = ("园区", "管委会", "示范区", "科学城")
MODIFIERS = ("国家级", "国家", "省级", "市级")
UNRESOLVED = "unresolved"

_TAIL = re.compile("(?:" + "|".join(sorted(HEADS, key=len, reverse=True)) + ")$")


@dataclass(frozen=True, slots=True)
class Name:
    """What a zone is called in tags."""

    short: str
    level: str


@dataclass(slots=True)
class Gazetteer:
    """Lookup tables. `stems` maps what precedes a head to the zone; `cities` a city to its one zone."""

    stems: dict[str, Name] = field(default_factory=dict)
    cities: dict[str, Name] = field(default_factory=dict)
    hosts: dict[str, Name] = field(default_factory=dict)
    outlets: dict[str, Name] = field(default_factory=dict)
    names: dict[str, Name] = field(default_factory=dict)
    ambiguous: dict[str, list[tuple[Name, tuple[str, ...]]]] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    longest_stem: int = 0

    def stem_before(self, text: str, end: int) -> tuple[int, Name] | None:
        """Return where the longest known stem that ends at `end` starts, and the zone it names."""
        for length in range(min(self.longest_stem, end), 1, -1):
            name = self.stems.get(text[end - length : end])
            if name:
                return end - length, name
        return None

    def of_host(self, url: str) -> tuple[Name, str] | None:
        """Return the zone whose own site `url` is on, with the host that says so."""
        host, _ = split_url(url)
        for domain in suffixes(host):
            if domain in self.hosts:
                return self.hosts[domain], host
        return None


def both_widths(name: str) -> tuple[str, ...]:
    """Return `name` with its brackets in half and in full width."""
    if "(" not in name and "（" not in name:
        return (name,)
    half = name.replace("（", "(").replace("）", ")")
    return half, half.replace("(", "（").replace(")", "）")


def build_gazetteer(zones: Iterable[Zone], prefectures: Iterable[Prefecture], words: WordList) -> Gazetteer:
    """Return the lookup tables and register every name, head, street and company in `words`."""
    zones, prefectures = list(zones), list(prefectures)
    gazetteer = Gazetteer()
    words.add_all("head", HEADS, None)
    words.add("short", "高新", None)
    words.add_all("anaphor", OWN_ANAPHORS, True)
    words.add_all("anaphor", LOOSE_ANAPHORS, False)
    for zone in zones:
        _add_zone(gazetteer, zone, words)
    for prefecture in prefectures:
        _add_prefecture(gazetteer, prefecture, zones)
    _add_counties(gazetteer, prefectures)
    for stem in gazetteer.ambiguous:
        gazetteer.stems.pop(stem, None)
    gazetteer.longest_stem = max(map(len, gazetteer.stems), default=0)
    return gazetteer


def _add_zone(gazetteer: Gazetteer, zone: Zone, words: WordList) -> None:
    name = Name(zone.short, zone.level)
    gazetteer.names[zone.short] = name
    gazetteer.homes[zone.short] = zone.city
    for spelling in (zone.short, zone.official, *zone.aliases):
        stem = _stem(spelling)
        if stem:
            gazetteer.stems.setdefault(stem, name)
            gazetteer.stems.setdefault(stem + "市", name)
        else:
            words.add_all("zone", both_widths(spelling), name)
    for spelling in zone.weak:
        words.add_all("weak", both_widths(spelling), name)
    for spelling, deciding in zone.ambiguous.items():
        gazetteer.ambiguous.setdefault(_stem(spelling) or spelling, []).append((name, deciding))
    words.add_all("street", (street for street in zone.streets if len(street) > 1), name)
    words.add_all("street", zone.companies, name)
    gazetteer.hosts.update(dict.fromkeys(zone.hosts, name))
    gazetteer.outlets.update(dict.fromkeys(zone.outlets, name))


def _stem(spelling: str) -> str | None:
    """Return what precedes the head of `spelling` (马鞍山慈湖国家高新区 -> 马鞍山慈湖), None without head."""
    stem, count = _TAIL.subn("", spelling)
    for modifier in MODIFIERS:
        stem = stem.removesuffix(modifier)
    return stem if count and len(stem) > 1 else None


def _add_prefecture(gazetteer: Gazetteer, prefecture: Prefecture, zones: list[Zone]) -> None:
    city = prefecture.name
    if city == "-":
        return
    own = _zone_of_city(city, zones)
    default = Name(own.short, own.level) if own else Name(f"{city}高新区", PROVINCIAL)
    if own or not any(zone.city.startswith(city) for zone in zones):
        gazetteer.cities[city] = default
    for stem in (city, f"{city}市"):
        gazetteer.stems.setdefault(stem, default)


def _zone_of_city(city: str, zones: list[Zone]) -> Zone | None:
    here = [zone for zone in zones if zone.city == city]
    named = [zone for zone in here if zone.short == f"{city}高新区"]
    national = [zone for zone in here if zone.level == NATIONAL]
    for group in (named, national, here):
        if group:
            return group[0] if len(group) == 1 else None
    return None


def _add_counties(gazetteer: Gazetteer, prefectures: list[Prefecture]) -> None:
    for prefecture in prefectures:
        for full in prefecture.counties:
            short = county_short(full)
            name = gazetteer.stems.get(short) or Name(f"{short}高新区", PROVINCIAL)
            if len(full) > 2:
                gazetteer.stems.setdefault(full, name)
            if short not in EVERYDAY:
                gazetteer.stems.setdefault(short, name)
