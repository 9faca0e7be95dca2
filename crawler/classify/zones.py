"""Which zones an article names, which of them act, and which one a bare 高新区 stands for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind

from crawler.classify.folding import without_surrogates
from crawler.classify.gazetteer import MODIFIERS, UNRESOLVED, Gazetteer, Name
from crawler.classify.matching import Hit, longest
from store.vocabulary.zones import NATIONAL, PROVINCIAL

if TYPE_CHECKING:
    from crawler.classify.folding import Folded, FoldedArticle
    from crawler.classify.hosts import CityHosts
    from crawler.classify.places import CityFinder

ACTOR = "actor"
MENTION = "mention"

_MASKS = frozenset("*＊×XxＸ某○〇□▲")
_GENERIC_BEFORE_WORDS = """
等 个 家 批 各 类 些 全国 省内 所有 多座 一流 我国 兄弟 类国家 新型
"""
_GENERIC_BEFORE = tuple(_GENERIC_BEFORE_WORDS.split())
#: A stem that is no known place is cut where one of these ends.
_STOP = frozenset(
    "在与和赴进到据由向为是对从于及的了将被让把使该各全我本市省县区级等个家位着会委局来往自入驻园内外上下中以新所有并后前以年月日号"
)
#: Two-character words that stand before a bare 高新区 and are no name.
_NO_NAME_WORDS = """
建设 推动 推进 支持 服务 打造 助力 发展 引领 促进 深入 围绕 位于 落户 来到 走进 日前
近日 今年 昨日 当天 据悉 记者 随后 此次 目前 同时 其中 作为 通过 聚焦 立足 赋能 坐落
加快 创建 争创 带动 依托 参观 考察 调研 走访 莅临 前往 抵达 成立 入驻 落地 做强 建好
融入 来自 围绕 近年 助推 一行 领导 代表 组织 介绍 表示 要求 强调 指出 首家 首个 首批
这是 国家 部分 关于 其他 以及 或者 如今 现在 过去 未来 整个 本次 针对 依靠 扎根 深耕
热爱 奋斗 情系 魅力 活力 创新 智慧 红色 平安 幸福 美丽 科技 产业 党建 特别 进一步
高质量 探访 聚力 赋予 擦亮 一座 今日 山东 河南 河北
"""
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_VISIT = re.compile(
    "(?:学习借鉴|对标|借鉴|来自|毗邻|相邻|相比|比肩|先后到|先后赴|坐落于|坐落在|位于|落户|坐落|邻近的|附近的|周边的|相邻的|毗邻的)$"
)
_LISTED_AFTER = ("、", "等", "相邻", "毗邻", "接壤", "相比", "类似", "一样")
_ALLIANCE = re.compile("联盟|联席会|共建|签约|签署|联合体|结对|共同体|协同|交流会|交流发言|经验交流|研讨会")
#: A longer list of zones is a survey, not an event they hold together.
_ALLIES = 8
#: What may follow 成都高新 where it means the zone: a mark, or the beginning of 党工委, 管委会, 发布, 街道, 总工会 ...
_AFTER_SHORT = frozenset("党管发街社纪总团妇税，。：、；！？—－-·|｜_ \n\x01”》】）")
_AROUND = 4
_LEAD = 220
_MAX_TAGS = 60


@dataclass(frozen=True, slots=True)
class ZoneTag:
    """A zone of the article with its evidence: `text` at start..end of `field`; for host and source, no span.

    `name` is "unresolved" where nothing tells which zone is meant. `resolved_by` says how the name was found: name,
    article, publisher, outlet, host, source, city, street or unresolved.
    """

    name: str
    level: str
    role: str
    field: str
    start: int
    end: int
    text: str
    resolved_by: str


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of an article besides its words."""

    url: str = ""
    publisher: str = ""
    outlet: str = ""
    source_zone: str = ""

    @classmethod
    def of(cls, url: str, publisher: str | None, outlet: str = "", source_zone: str | None = None) -> Context:
        """Return the context of words from anywhere, which may hold lone surrogates."""
        return cls(
            url or "", without_surrogates(publisher or ""), without_surrogates(outlet), source_zone or ""
        )


@dataclass(slots=True)
class Mention:
    """A zone at folded positions start..end; `name` is None while it is only called 高新区."""

    start: int
    end: int
    name: Name | None
    how: str
    listed: bool = False
    masked: bool = False

    def located_in(self, text: str) -> bool:
        """Something happens in the zone (在X高新区), which the zone itself need not do."""
        return self.start > 0 and text[self.start - 1] in "在于"


@dataclass(slots=True)
class Found:
    """All mentions in order, the tags made of them, and what relevance wants to know."""

    mentions: list[Mention] = field(default_factory=list)
    tags: list[ZoneTag] = field(default_factory=list)
    generic: int = 0
    masked: int = 0
    outside: Name | None = None
    anaphors: list[Hit] = field(default_factory=list)

    @property
    def actors(self) -> list[ZoneTag]:
        return [tag for tag in self.tags if tag.role == ACTOR]


class ZoneFinder:
    """Finds zones with the tables of a gazetteer. Immutable."""

    def __init__(self, gazetteer: Gazetteer, cities: CityFinder, hosts: CityHosts) -> None:
        self._gazetteer = gazetteer
        self._hosts = hosts
        self._cities = cities
        outlets = {**gazetteer.names, **gazetteer.outlets}
        words = dict.fromkeys([*gazetteer.outlets, *gazetteer.names])
        self._outlets = [outlets[word] for word in words]
        self._in_outlets = AhoCorasick(list(words), matchkind=MatchKind.Standard)

    def find(self, page: FoldedArticle, hits: dict[str, list[Hit]], context: Context) -> Found:
        """Return what is found, the tags with their evidence in the title and the text as given."""
        folded, title_end = page.folded, page.title_end
        found = Found(anaphors=hits["anaphor"])
        outside = self._outside(context)
        found.outside = outside[0] if outside else None
        if not (hits["head"] or hits["zone"] or hits["weak"] or hits["short"] or outside):
            return found
        self._collect(found, folded, hits, title_end)
        self._resolve(found, folded.text, hits, context, outside)
        found.mentions.sort(key=lambda mention: mention.start)
        found.tags = self._tags(found, page)
        if outside:
            self._tag_outside(found, outside)
        return found

    def _collect(self, found: Found, folded: Folded, hits: dict[str, list[Hit]], title_end: int) -> None:
        text = folded.text
        names = longest(hits["zone"])
        covered = [(hit.start, hit.end) for hit in names]
        for hit in names:
            found.mentions.append(
                Mention(hit.start, hit.end, hit.data, "name", _is_listed(text, hit.start, hit.end))
            )
        inside = iter(covered)
        span = next(inside, None)
        for head in longest(hits["head"]):
            while span and span[1] <= head.start:
                span = next(inside, None)
            if not span or head.start < span[0]:
                self._add_head(found, folded, head)
        self._add_short(found, text, hits)
        self._add_weak(found, text, hits, title_end)

    def _add_short(self, found: Found, text: str, hits: dict[str, list[Hit]]) -> None:
        """成都高新 stands for the zone where a body, an outlet or a mark follows, not in the name of a company."""
        for hit in hits["short"]:
            if hit.end == len(text) or text[hit.end] in _AFTER_SHORT:
                known = self._gazetteer.stem_before(text, hit.start)
                if known and known[1].level == NATIONAL:
                    found.mentions.append(
                        Mention(known[0], hit.end, known[1], "name", _is_listed(text, known[0], hit.end))
                    )

    def _add_head(self, found: Found, folded: Folded, head: Hit) -> None:
        text, end, plain = folded.text, head.start, True
        for modifier in MODIFIERS:
            if text.endswith(modifier, max(0, end - 3), end):
                end -= len(modifier)
                plain = False
        known = self._gazetteer.stem_before(text, end)
        if known and not _torn(folded, known[0], end):
            start, name = known
            found.mentions.append(Mention(start, head.end, name, "name", _is_listed(text, start, head.end)))
            return
        ambiguous = self._ambiguous(text, end)
        if ambiguous:
            found.mentions.append(Mention(ambiguous[0], head.end, ambiguous[1], "name"))
            return
        before = text[max(0, end - 4) : end]
        if before and before[-1] in _MASKS:
            found.masked += 1
            found.mentions.append(Mention(end - 1, head.end, None, UNRESOLVED, masked=True))
        elif not plain or before.endswith(_GENERIC_BEFORE):
            found.generic += 1
        else:
            found.mentions.append(
                Mention(head.start, head.end, None, UNRESOLVED, _is_listed(text, head.start, head.end))
            )

    def _ambiguous(self, text: str, end: int) -> tuple[int, Name | None] | None:
        for stem, candidates in self._gazetteer.ambiguous.items():
            if text.endswith(stem, 0, end):
                fitting = [name for name, words in candidates if any(word in text for word in words)]
                return end - len(stem), fitting[0] if len(fitting) == 1 else None
        return None

    def _add_weak(self, found: Found, text: str, hits: dict[str, list[Hit]], title_end: int) -> None:
        """Weak names count in the title or when repeated, district names only beside their city or a 高新区."""
        covered = [(mention.start, mention.end) for mention in found.mentions]
        weak = [hit for hit in longest(hits["weak"]) if not any(s <= hit.start < e for s, e in covered[:200])]
        counts = Counter(hit.data.short for hit in weak)
        for hit in weak:
            name: Name = hit.data
            word = text[hit.start : hit.end]
            district = len(word) == 3 and word[-1] == "区"
            if district:
                shown = bool(hits["head"]) or self._gazetteer.homes[name.short] in text
            else:
                shown = hit.start < title_end or counts[name.short] > 1
            if shown:
                found.mentions.append(
                    Mention(hit.start, hit.end, name, "name", _is_listed(text, hit.start, hit.end))
                )

    def _outside(self, context: Context) -> tuple[Name, str, str] | None:
        """Return the zone that publisher, outlet, host or source stand for, with the kind and words of evidence."""
        for kind, words in (("publisher", context.publisher), ("outlet", context.outlet)):
            name = self._in_words(words[:200])
            if name:
                return name, kind, words[:200]
        host = self._gazetteer.of_host(context.url) if context.url else None
        if host:
            return host[0], "host", host[1]
        if context.source_zone:
            name = self._gazetteer.names.get(context.source_zone) or Name(context.source_zone, PROVINCIAL)
            return name, "source", context.source_zone
        return None

    def _in_words(self, words: str) -> Name | None:
        """Return the zone an outlet's name holds: 贵阳高新区, 高新区管委会 of nowhere is none."""
        if not words:
            return None
        at = words.find("高新")
        known = self._gazetteer.stem_before(words, at) if at > 0 else None
        if known:
            return known[1]
        found = self._in_outlets.find_matches_as_indexes(words, overlapping=True)
        return self._outlets[min(pattern for pattern, _, _ in found)] if found else None

    def _resolve(
        self,
        found: Found,
        text: str,
        hits: dict[str, list[Hit]],
        context: Context,
        outside: tuple[Name, str, str] | None,
    ) -> None:
        bare = [mention for mention in found.mentions if mention.name is None and not mention.masked]
        if not bare:
            return
        self._name_by_pattern(bare, text)
        bare = [mention for mention in bare if mention.name is None]
        named = sorted((m for m in found.mentions if m.name and not m.listed), key=lambda m: m.start)
        starts = [mention.start for mention in named]
        fallback: tuple[Name, str] | None = None
        for mention in bare:
            if named:
                mention.name, mention.how = (
                    named[max(0, bisect_left(starts, mention.start) - 1)].name,
                    "article",
                )
                continue
            if fallback is None:
                fallback = self._from_afar(text, hits, context, outside, bare[0].start) or (
                    Name(UNRESOLVED, ""),
                    UNRESOLVED,
                )
            if fallback[1] != UNRESOLVED:
                mention.name, mention.how = fallback

    def _from_afar(
        self,
        text: str,
        hits: dict[str, list[Hit]],
        context: Context,
        outside: tuple[Name, str, str] | None,
        position: int,
    ) -> tuple[Name, str] | None:
        if outside:
            return outside[0], outside[1]
        for kind, words in (("publisher", context.publisher), ("outlet", context.outlet)):
            name = self._cities.zone_in_outlet(words[:200]) if words else None
            if name:
                return name, kind
        city = self._hosts.city(context.url) if context.url else None
        if city and city in self._gazetteer.cities:
            return self._gazetteer.cities[city], "host"
        name = self._cities.zone_in_text(text, position)
        if name:
            return name, "city"
        streets = Counter(hit.data for hit in longest(hits["street"]))
        best = streets.most_common(2)
        if best and (len(best) == 1 or best[0][1] > best[1][1]):
            return best[0][0], "street"
        return None

    def _name_by_pattern(self, bare: list[Mention], text: str) -> None:
        """Read the name of a provincial zone nobody listed off its repetition: the same stem before 高新区, twice."""
        stems: dict[int, str] = {}
        for mention in bare[:400]:
            stem = _unknown_stem(text, mention.start)
            if stem:
                stems[mention.start] = stem
        counts = Counter(stems.values())
        for mention in bare:
            stem = stems.get(mention.start, "")
            if stem and counts[stem] > 1:
                mention.start -= len(stem)
                mention.name, mention.how = Name(f"{stem}高新区", PROVINCIAL), "name"

    def _tags(self, found: Found, page: FoldedArticle) -> list[ZoneTag]:
        groups: dict[str, list[Mention]] = {}
        for mention in found.mentions:
            groups.setdefault(mention.name.short if mention.name else UNRESOLVED, []).append(mention)
        actors = _acting(groups, page.folded.text, page.title_end)
        return [_tag(name, group, name in actors, page) for name, group in list(groups.items())[:_MAX_TAGS]]

    def _tag_outside(self, found: Found, outside: tuple[Name, str, str]) -> None:
        """An article that comes from a zone and names none is about that zone when it speaks of 我区, 园区, 管委会."""
        name, kind, words = outside
        if any(tag.role == ACTOR or tag.name == name.short for tag in found.tags):
            return
        role = ACTOR if found.anaphors else MENTION
        found.tags.append(ZoneTag(name.short, name.level, role, kind, 0, 0, words, kind))


def _torn(folded: Folded, start: int, end: int) -> bool:
    """A blank between stem and 高新区 is noise only when the stem itself begins a word."""
    if end not in folded.blanks or start in folded.blanks or not start:
        return False
    return "\u3400" <= folded.text[start - 1] <= "\u9fff"


def _is_listed(text: str, start: int, end: int) -> bool:
    """A zone is only listed when it is one of several joined by 、 or compared with, visited for a model, or an address."""
    before, after = text[max(0, start - _AROUND) : start], text[end : end + 2]
    if before.endswith("、") or after.startswith(_LISTED_AFTER):
        return True
    return bool(_VISIT.search(before))


def _unknown_stem(text: str, end: int) -> str:
    """Return the two to four characters before `end` that may be a zone's name, "" when they are none."""
    start = end
    while (
        start > 0
        and end - start < 5
        and "\u4e00" <= text[start - 1] <= "\u9fff"
        and text[start - 1] not in _STOP
    ):
        start -= 1
    stem = text[start:end]
    if not 2 <= len(stem) <= 4 or stem[-2:] in _NO_NAME or stem[:2] in _NO_NAME:
        return ""
    return stem


def _acting(groups: dict[str, list[Mention]], text: str, title_end: int) -> set[str]:
    """Return the names of the zones that act: in the title, in the lead, or spoken of again and again."""
    counts = {
        name: sum(not mention.listed and mention.how == "name" for mention in group)
        for name, group in groups.items()
        if name != UNRESOLVED
    }
    most = max(counts.values(), default=0)
    allied = (
        len(counts) <= _ALLIES and "高新区" in text[:title_end] and _ALLIANCE.search(text, 0, title_end + 600)
    )
    return {name for name, count in counts.items() if _acts(groups[name], count, most, title_end) or allied}


def _acts(group: list[Mention], count: int, most: int, title_end: int) -> bool:
    """Tell whether a zone named `count` times, where another is named `most` times, does more than appear."""
    first = group[0]
    if first.start < title_end or (not first.listed and first.start < title_end + _LEAD):
        return True
    return (count > 1 and count * 3 >= most) or (not most and len(group) > 1)


def _tag(name: str, group: list[Mention], acts: bool, page: FoldedArticle) -> ZoneTag:
    best = min(group, key=lambda m: (m.start >= page.title_end, m.listed, m.how != "name", m.start))
    where, start, end, words = page.place(best.start, best.end)
    level, how = (best.name.level, best.how) if best.name else ("", UNRESOLVED)
    return ZoneTag(name, level, ACTOR if acts else MENTION, where, start, end, words, how)
