"""Organisations an article names: Party bodies, mass organisations, offices and companies."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAIL = re.compile(
    "党工委|党委|党总支|党支部|党组(?!织)|纪工委|纪委|组织部|总工会|工会|团工委|妇联|管委会|街道办事处|办事处|街道|社区|有限责任公司|股份有限公司|有限公司|集团|"
    "税务局|市场监督管理局|公安分局|教育局|科技局|党群工作部|党建联盟|商会|协会|研究院|联合会"
)
#: What cannot stand inside a name: the name begins behind it.
_CUT = re.compile(
    "[的了在与和及由向为被把对将到赴从是等各该本并据给让使]|日前|近日|召开|参加|联合|组织(?!部)|走进|来到|开展|成立|邀请|以及|全体|所有|深入|推动|加强|按照|围绕|通过|带领|部分|指导|引导|支持|依托|发挥|"
    "书记|主任|委员|副|[一-龥]{0,2}组织[^部]|担任|时任|要求|强调|举行|党员|每个|首个|一个|第一|建立|新建|号召"
)
#: 3家企业党支部: what is counted is no part of the name.
_MEASURES = "余多家个名支"
_MAX_NAME = 20
_MAX = 80


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation as written, at start..end of the text."""

    name: str
    start: int
    end: int


def find_organisations(text: str) -> list[Organisation]:
    """Return up to `_MAX` organisations in order of first mention, each name once; a bare 党委 names nobody."""
    found: dict[str, Organisation] = {}
    for match in _TAIL.finditer(text):
        start = _begin(text, match.start())
        name = text[start : match.end()]
        if match.start() - start >= 2 and name not in found:
            found[name] = Organisation(name, start, match.end())
            if len(found) >= _MAX:
                break
    return list(found.values())


def _begin(text: str, end: int) -> int:
    """Return where the run of Han characters before `end` begins, cut behind words no name holds."""
    start = end
    low = max(0, end - _MAX_NAME)
    while start > low and (("\u4e00" <= text[start - 1] <= "\u9fff") or text[start - 1] in "（）()"):
        start -= 1
    for cut in _CUT.finditer(text, start, end):
        start = cut.end()
    counted = start and text[start - 1].isdigit()
    return start + len(text[start:end]) - len(text[start:end].lstrip(_MEASURES)) if counted else start
