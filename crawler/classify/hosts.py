"""The city a web address belongs to: known outlets, pinyin, and the initials government hosts are made of."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from store.vocabulary.places import Prefecture, load_outlets

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_LETTER = re.compile("[^a-z]+")
_MAX_URL = 2000
#: Provinces as they stand in paths, and the two letters that open the host of a city's government (ahsz, gdqy).
#: hb and hn are two provinces each and stand for none.
_PROVINCES = """
hebei:河北: shanxi:山西:sx neimenggu:内蒙古:nm liaoning:辽宁:ln jilin:吉林:jl heilongjiang:黑龙江: jiangsu:江苏:js
zhejiang:浙江:zj anhui:安徽:ah fujian:福建:fj jiangxi:江西:jx shandong:山东:sd henan:河南: hubei:湖北: hunan:湖南:
guangdong:广东:gd guangxi:广西:gx sichuan:四川:sc guizhou:贵州: yunnan:云南:yn shaanxi:陕西: gansu:甘肃:gs
qinghai:青海:qh ningxia:宁夏:nx xinjiang:新疆:xj
"""
_NAMED = [tuple(row.split(":")) for row in _PROVINCES.split()]
_BY_PINYIN = {pinyin: name for pinyin, name, _ in _NAMED}
_BY_LETTERS = {letters: name for _, name, letters in _NAMED if letters}


def split_url(url: str) -> tuple[str, str]:
    """Return host (lower case, without port) and path of `url`, empty where it has none."""
    try:
        parts = urlsplit(url[:_MAX_URL])
    except ValueError:
        return "", ""
    host = parts.netloc.rpartition("@")[2].partition(":")[0].lower().rstrip(".")
    return host, parts.path.lower()


def suffixes(host: str) -> list[str]:
    """Return the host and its parent domains, the longest first, without the top level."""
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(len(labels) - 1)]


class CityHosts:
    """Tells the city of a web address. Immutable."""

    def __init__(self, prefectures: Iterable[Prefecture]) -> None:
        cities = [prefecture for prefecture in prefectures if prefecture.name != "-"]
        spellings = Counter(city.pinyin for city in cities)
        self._pinyin = {city.pinyin: city.name for city in cities if spellings[city.pinyin] == 1}
        initials = Counter((city.province, city.initials) for city in cities)
        self._initials = {
            (city.province, city.initials): city.name
            for city in cities
            if initials[city.province, city.initials] == 1
        }
        self._outlets = load_outlets()

    def city(self, url: str) -> str | None:
        """Return the city whose outlet the host is, or that host or path spell out, or None.

        Spelt out means the whole pinyin as a word, the initials of province and city before .gov.cn, or the city's
        initials at the end of a host in whose path its province is a word.
        """
        host, path = split_url(url)
        for domain in suffixes(host):
            if domain in self._outlets:
                return self._outlets[domain]
        for part, least in ((host, 4), (path, 6)):
            for word in _NOT_LETTER.split(part):
                if len(word) >= least and word in self._pinyin:
                    return self._pinyin[word]
        return self._by_initials(host, path)

    def _by_initials(self, host: str, path: str) -> str | None:
        label = _own_label(host)
        if host.endswith(".gov.cn") and len(label) == 4:
            return self._initials.get((_BY_LETTERS.get(label[:2], ""), label[2:]))
        provinces = {_BY_PINYIN[word] for word in _NOT_LETTER.split(path) if word in _BY_PINYIN}
        if len(provinces) == 1 and len(label) <= 6:
            return self._initials.get((provinces.pop(), label[-2:]))
        return None


def _own_label(host: str) -> str:
    """Return the label somebody chose: the one before .gov.cn, .com.cn or the top level."""
    labels = host.split(".")
    generic = {"gov", "com", "org", "net", "edu"}
    chosen = [label for label in labels[:-1] if label not in generic]
    return chosen[-1] if chosen else ""
