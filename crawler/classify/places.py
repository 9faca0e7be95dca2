"""The city an article is about, asked only where it leaves open which 高新区 it means."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind

from store.vocabulary.places import EVERYDAY, Prefecture, county_short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.classify.gazetteer import Gazetteer, Name

#: City names that are also other words; they count only with 市.
_OTHER_WORDS_WORDS = """
中山 海南 吉林 朝阳 大同 三明 海北 海西 海东 平凉 安康 文山 山南 白银 红河 鸡西 通化
普洱 保山 来宾 百色 凉山 中卫 定西 兴安 阿里
"""
_OTHER_WORDS = frozenset(_OTHER_WORDS_WORDS.split())
#: The stretch before a bare 高新区 in which a city belongs to it.
_NEAR = 30
_MAX_TEXT = 60_000


class CityFinder:
    """Finds prefectures by name and counties by full name. Immutable."""

    def __init__(self, prefectures: Sequence[Prefecture], gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        places: dict[str, Name] = {}
        for prefecture in prefectures:
            zone = gazetteer.cities.get(prefecture.name)
            if zone:
                places[f"{prefecture.name}市"] = zone
                if prefecture.name not in _OTHER_WORDS:
                    places[prefecture.name] = zone
        cities = {prefecture.name for prefecture in prefectures}
        for prefecture in prefectures:
            for full in prefecture.counties:
                short = county_short(full)
                if (
                    full.endswith("市")
                    and short not in cities
                    and short not in EVERYDAY
                    and short in gazetteer.stems
                ):
                    places.setdefault(full, gazetteer.stems[short])
        self._zones = list(places.values())
        self._automaton = AhoCorasick(list(places), matchkind=MatchKind.LeftmostLongest)

    def zone_in_outlet(self, words: str) -> Name | None:
        """Return the zone of the city an outlet is named after (济宁日报 -> 济宁高新区)."""
        found = {self._zones[pattern] for pattern, _, _ in self._automaton.find_matches_as_indexes(words)}
        return found.pop() if len(found) == 1 else None

    def zone_in_text(self, text: str, position: int) -> Name | None:
        """Return the zone of the city named just before `position`, else of the one city named, else None."""
        found = self._automaton.find_matches_as_indexes(text[:_MAX_TEXT])
        near = [self._zones[pattern] for pattern, _, end in found if 0 <= position - end <= _NEAR]
        if near:
            return near[-1]
        counts = Counter(self._zones[pattern] for pattern, _, _ in found).most_common(2)
        if not counts or (len(counts) > 1 and counts[0][1] < 3 * counts[1][1]):
            return None
        return counts[0][0]
