"""Extractive summaries: whole sentences of the article that say who did what with which figure. Pure functions.

Nothing is written that does not stand in the article, but for one thing: 该区, 我区 and a bare 高新区 give way to the zone's
name when the article has exactly one acting zone. Weights were set by reading, not fitted.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.typography import repair, sentences
from store.text import clean_text

#: Characters of an article that are looked at: the news stands in front, and work stays bounded.
_LOOK_AT = 6000
_SHORTEST = 12
#: A further sentence must score at least this share of the best one.
_FURTHER = 0.5
_DATELINE = re.compile(
    r"^(?:(?:[^\s。，（(]{0,24}?(?:本报|本网|本刊|日报|晚报|时报|导报|网|社|报)[^\s。，（(]{0,12}?(?:讯|电|消息))"
    r"\s?(?:[（(][^（）()]{2,40}[）)])?|[（(](?:本报|本网|见习|特约)?(?:记者|通讯员)[^（）()]{1,40}[）)])[\s:：,，]*"
)
_FURNITURE = re.compile(
    r"责任编辑|责编|来源[:：]|编辑[:：]|供稿|摄影报道|扫描二维码|版权|点击|转载请|[（(]记者|记者\s|^图[为:：]|^\d+/\d+"
)
_DEEDS = re.compile(
    "成立|建成|建立|组建|开展|举办|召开|启动|推出|实施|打造|组织|走访|解决|揭牌|签约|印发|出台|发布|创建|选派|培训|慰问|表彰|"
    "推动|探索|制定|设立|覆盖|服务|联建|共建|结对|宣讲|整治|巡察|换届|选举|收集|办结|落实|帮助|吸纳|发展党员|上线|命名"
)
_PARTY = re.compile(
    "党建|党委|党工委|党支部|党组织|党员|党群|党课|党日|党的|工会|团委|妇联|纪委|清廉|红色|主题教育"
)
_FIGURE = re.compile(
    r"(?:[0-9０-９]+(?:\.[0-9]+)?|[二三四五六七八九十百千万两]{2,8})(?:余|多)?"
    "(?:%|％|万|亿|个|家|名|人|次|件|项|场|支|条|户|元|座|处|期|批|万元|亿元|平方米)"
)
_ANAPHORA = re.compile(r"该高新区|我高新区|该区|我区|该园区|我园区")
_BARE = re.compile(
    r"(?:(?<=[，。；：、！？“（\s])|(?<=^)|(?<=[在到由为对向把被与和从让使是]))(?:全)?高新区(?![\u4e00-\u9fff]{0,2}(?:技术|企业))"
)
_NAMED_ZONE = re.compile(
    "[\u4e00-\u9fff][\u4e00-\u9fff](?<![在到由为对向把被与和从让使是全该我本个的])"
    "(?:高新区|高新技术产业开发区|经开区|经济技术开发区|示范区|工业园区)"
)
_LEANING = re.compile(
    "^(?:此外|同时|随后|接着|其中|他|她|它|这|那|该|据此|因此|不仅如此|一是|二是|三是|四是|首先|其次|最后|如今|目前|而|但|并)"
)


_SPEECH = re.compile("(?:说|表示|介绍|介绍说|告诉记者|认为)。$")
_WHOLE = re.compile("[。！？…][”’）》」』]{0,3}$")


@dataclass(frozen=True, slots=True)
class _Scored:
    place: int
    text: str
    score: float


def summarize(title: str, text: str, zones: Sequence[str], limit: int = 120) -> str:
    """Return at most `limit` characters of whole sentences of `text` in their order, or "" when it has none.

    When every sentence is longer, the clauses of the best one that fit are returned, ended by ……

    `zones` are the acting zones; with exactly one, 该区 and its kin are replaced by its name, once a sentence. Linear in
    the length of the text; takes any text.
    """
    scored = _scored(title, text, zones)
    chosen: list[_Scored] = []
    length = 0
    for sentence in sorted(scored, key=lambda s: (-s.score, s.place)):
        fits = length + len(sentence.text) <= limit
        if fits and (not chosen or _adds(sentence, chosen[0])):
            chosen.append(sentence)
            length += len(sentence.text)
    if not chosen and scored:
        return _beginning(max(scored, key=lambda s: (s.score, -s.place)).text, limit)
    return "".join(s.text for s in sorted(chosen, key=lambda s: s.place))


def _adds(sentence: _Scored, best: _Scored) -> bool:
    """Return whether a further sentence is worth its room: it tells a deed or a figure and is not much weaker."""
    telling = _FIGURE.search(sentence.text) or _DEEDS.search(sentence.text)
    return bool(telling) and sentence.score >= _FURTHER * best.score


def _beginning(sentence: str, limit: int) -> str:
    """The clauses of an over-long sentence that fit, with …… for the rest; "" when not even one does."""
    cut = max(sentence.rfind(mark, 0, limit - 2) for mark in "，；：")
    return repair(sentence[:cut]) + "……" if cut >= _SHORTEST else ""


def _scored(title: str, text: str, zones: Sequence[str]) -> list[_Scored]:
    grams = _grams(title)
    found, seen, before = [], set(), ""
    for place, raw in enumerate(sentences(clean_text(text[:_LOOK_AT]))):
        plain = repair(_DATELINE.sub("", raw, count=1))
        sentence = named(plain, zones, before)
        before = plain
        if len(sentence) >= _SHORTEST and _WHOLE.search(sentence) and sentence not in seen:
            seen.add(sentence)
            if (score := _score(sentence, place, grams, zones)) > 0:
                found.append(_Scored(place, sentence, score))
    return found


def _score(sentence: str, place: int, grams: frozenset[str], zones: Sequence[str]) -> float:
    if _FURNITURE.search(sentence):
        return 0.0
    score = 2.0 + max(0.0, 1.8 - 0.3 * place)
    score += 1.5 if any(zone in sentence for zone in zones) else 0.8 * ("高新区" in sentence)
    score += 1.0 * bool(_PARTY.search(sentence))
    score += min(1.6, 0.8 * len(_FIGURE.findall(sentence))) + min(1.5, 0.5 * len(_DEEDS.findall(sentence)))
    score += 3.0 * len(grams & _grams(sentence)) / max(4, len(grams))
    score -= (
        1.5 * bool(_LEANING.match(sentence))
        + 1.2 * (sentence[0] in "“‘「")
        + 1.0 * (sentence[-1] in "？！")
        + 1.5 * bool(_SPEECH.search(sentence))
    )
    return score - 4.0 * ("**" in sentence or "××" in sentence) - 0.8 * (len(sentence) < 20)


def named(sentence: str, zones: Sequence[str], before: str = "") -> str:
    """Return `sentence` with its first 该区, 我区 or bare 高新区 replaced by the zone's name.

    Only when there is one acting zone and the sentence does not name it; and not when the sentence, or the one `before`
    it, names another zone: 该区 may be that one.
    """
    if len(zones) != 1 or zones[0] in sentence:
        return sentence
    zone = zones[0]
    if _names_another(sentence, zone) or ("该" in sentence and _names_another(before, zone)):
        return sentence
    replaced, count = _ANAPHORA.subn(zone, sentence, count=1)
    if count or not zone.endswith("高新区"):
        return replaced
    return _BARE.sub(zone, sentence, count=1)


def _names_another(sentence: str, zone: str) -> bool:
    return any(match[0] not in zone for match in _NAMED_ZONE.finditer(sentence))


def _grams(text: str) -> frozenset[str]:
    han = [char for char in text if "\u4e00" <= char <= "\u9fff"]
    return frozenset(a + b for a, b in itertools.pairwise(han))
