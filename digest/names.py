"""The vocabulary as the digest shows it: themes in their order with Chinese titles, zones with their provinces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from store.config import Config
from store.vocabulary.places import county_short, load_prefectures
from store.vocabulary.themes import load_themes
from store.vocabulary.zones import load_zones

#: Section of stories without any theme, and of late finds.
NO_THEME = ("other", "其他")
SUPPLEMENT = ("supplement", "补录")
#: Headings of narrow columns; a theme of an office's own has the first characters of its title.
_SHORT = {
    "two_new": "两新",
    "chain": "链上",
    "gig": "新业态",
    "governance": "治理",
    "org": "组织",
    "organs": "机关",
    "soe": "国企",
    "mass": "群团",
    "study": "学习",
    "discipline": "清廉",
    "venue": "阵地",
    "service": "惠企",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Titles of themes by key, in the order of the vocabulary; provinces by zone and by city or county."""

    themes: Mapping[str, str]
    provinces: Mapping[str, str]
    places: Mapping[str, str]

    def province(self, zone: str) -> str:
        """Return the zone's province; that of the place it is named after for a zone outside the gazetteer; else ""."""
        if found := self.provinces.get(zone):
            return found
        place = zone.removesuffix("高新技术产业开发区").removesuffix("高新区").removesuffix("国家")
        return self.places.get(place) or self.places.get(place[:-1] if place[-1:] in "市县区" else "", "")

    def theme(self, key: str) -> str:
        """Return the theme's title, or the key itself for a theme that left the vocabulary."""
        return self.themes.get(key) or dict((NO_THEME, SUPPLEMENT)).get(key, key)

    def short(self, key: str) -> str:
        """Return two or three characters for the head of a narrow column."""
        return _SHORT.get(key) or self.theme(key)[:3]

    def order(self, key: str) -> int:
        """Return the place of a section: themes first, then 其他, then 补录."""
        keys = [*self.themes, NO_THEME[0], SUPPLEMENT[0]]
        return keys.index(key) if key in keys else len(self.themes)


def load_names(config: Config) -> Names:
    """Return the names of the configured vocabulary. Raises VocabularyError (`FILE:LINE: message`)."""
    folder = config.classify.vocabulary
    return _load(str(config.resolve(folder)) if folder else "")


@lru_cache(maxsize=4)
def _load(folder: str) -> Names:
    directory = Path(folder) if folder else None
    themes = {theme.key: theme.zh for theme in load_themes(directory)}
    return Names(themes, {zone.short: province(zone.province) for zone in load_zones(directory)}, _places())


def _places() -> dict[str, str]:
    found: dict[str, str] = {}
    for prefecture in load_prefectures():
        for name in (prefecture.name, *map(county_short, prefecture.counties)):
            found.setdefault(name, province(prefecture.province))
    return found


def province(name: str) -> str:
    """Return a province's short name: 安徽省 → 安徽, 广西壮族自治区 → 广西."""
    name = name.strip()
    for short in ("内蒙古", "广西", "宁夏", "新疆", "西藏", "香港", "澳门"):
        if name.startswith(short):
            return short
    return name[:-1] if len(name) > 2 and name[-1] in "省市" else name
