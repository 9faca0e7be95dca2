"""Named practices and brands of an article: quoted names that speak of Party work (“三学五微四联”)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = re.compile('[“「『"]([^“”「」『』"\n。！？]{2,24})[”」』"]')
#: What follows or stands before the quotes of a practice.
_AFTER = re.compile(
    "(?:党建|工作法|工程|行动|品牌|模式|机制|计划|举措|做法|工作|服务|活动|体系|项目|矩阵|平台|驿站|课堂|联盟|引擎|家园|阵地|先锋)"
)
_BEFORE = re.compile(
    "(?:打造|创新|推行|探索|实施|开展|擦亮|创建|形成|以|构建|深化|推出|启动|品牌|举措|做法|推进|落实)$"
)
_NUMBERED = re.compile("^(?:[一二三四五六七八九十百千两双多]|\\d\\+|1\\+)|[+＋·×]")
_NAMED = re.compile("红|党|先锋|旗|链|暖|初心|心|网格|驿|群")
#: Campaigns of the whole Party: everybody's, no zone's own practice.
_NATIONAL_WORDS = """
两学一做 三会一课 三严三实 不忘初心、牢记使命 两个维护 四个意识 四个自信 两个确立 两优一先
一带一路 十四五 十五五 十三五 五位一体 四个全面 两新 三新 七一 五一 五四 三八 放管服
四风 党的
"""
_NATIONAL = frozenset(_NATIONAL_WORDS.split())
_MAX = 40


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice as it is called, without its quotes, at start..end of the text."""

    name: str
    start: int
    end: int


def find_practices(text: str) -> list[Practice]:
    """Return up to `_MAX` named practices in order of first mention, each name once."""
    practices: dict[str, Practice] = {}
    for match in _QUOTED.finditer(text):
        name = match[1]
        if name in practices or name in _NATIONAL or not _is_practice(text, match):
            continue
        practices[name] = Practice(name, match.start(1), match.end(1))
        if len(practices) >= _MAX:
            break
    return list(practices.values())


def _is_practice(text: str, match: re.Match[str]) -> bool:
    """Two of: numbered or dotted form, a Party word in the name, words of a practice around the quotes."""
    around = bool(_AFTER.match(text, match.end())) + bool(
        _BEFORE.search(text[max(0, match.start() - 4) : match.start()])
    )
    form = bool(_NUMBERED.search(match[1])) + bool(_NAMED.search(match[1]))
    return around + form >= 2 or (form > 0 and any(mark in match[1] for mark in "·+＋"))
