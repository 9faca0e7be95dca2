"""Key figures of an article: number, unit and what was counted (党群服务站 35个)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNITS = (
    "个百分点|万余名|余万元|万余元|亿余元|万余人|多万元|亿元|万元|万人|万名|余名|多名|余个|多个|余家|多家|余人|多人|余次|多次|余件|多件|余项|多项|余场|多场|"
    "人次|场次|平方米|平方公里|公里|名|个|家|人|次|项|件|场|处|支|条|期|批|座|所|份|册|篇|户|届|岁|年|元|%|％|倍|组|套|对|间|只|栋|幅|本|门|课时"
)
#: Begins with a single character, so that the search steps over all others.
_FIGURE = re.compile(rf"(\d\d{{0,11}}(?:,\d{{3}}){{0,4}}(?:\.\d{{1,4}})?)(万|亿|千)?(余|多)?({_UNITS})")
#: A number behind one of these is part of a longer one, a code or a time.
_INSIDE = frozenset("0123456789.,-/:：ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
#: Units that make dates and ages, not figures.
_NOT_COUNTED = frozenset({"年", "岁", "届", "期", "元"})
_HAN_RUN = re.compile("[\u4e00-\u9fff“”]+")
_LEADING_WORDS = """
建成 建立 成立 新建 设立 打造 选派 选聘 组织 开展 举办 解决 累计 现有 共有 拥有 新增
发放 覆盖 制定 收集 办理 发展 培育 吸纳 服务 帮助 选树 表彰 慰问 配备 整合 推出 实施
达到 共
"""
_LEADING = tuple(_LEADING_WORDS.split())
_LEADS = re.compile("|".join(_LEADING))
_STOPS_WORDS = "的 在 被 参加 获 采取 荣 以上 以 和 为 进行 开展 等 讲述 联合"
_STOPS = tuple(_STOPS_WORDS.split())
_MAX = 60


@dataclass(frozen=True, slots=True)
class Figure:
    """`number` with its 万 or 亿 as written, `unit`, what it counts ("" if unclear); `text` is start..end of the text."""

    number: str
    unit: str
    what: str
    text: str
    start: int
    end: int


def find_figures(text: str) -> list[Figure]:
    """Return up to `_MAX` figures of `text` in order; dates, ages and bare years are none."""
    figures = []
    for match in _FIGURE.finditer(text):
        unit = (match[3] or "") + match[4]
        bare_date = match[4] in _NOT_COUNTED and not match[2]
        if bare_date or (match.start() and text[match.start() - 1] in _INSIDE):
            continue
        what = _after(text, match.end()) if match[4] not in {"%", "％"} else ""
        if not what:
            what = _before(text, match.start())
        number = match[1] + (match[2] or "")
        figures.append(Figure(number, unit, what, match[0], match.start(), match.end()))
        if len(figures) >= _MAX:
            break
    return figures


def _after(text: str, end: int) -> str:
    """选派94名党建指导员: the noun follows the unit up to the next mark."""
    match = _HAN_RUN.match(text, end, end + 12)
    word = match[0] if match else ""
    for stop in _STOPS:
        word = word.partition(stop)[0]
    return word if len(word) > 1 else ""


def _before(text: str, start: int) -> str:
    """党群服务站35个: the noun stands before the number, behind the verb."""
    run = text[max(0, start - 12) : start]
    matches = _HAN_RUN.findall(run)
    word = matches[-1] if matches and run.endswith(matches[-1]) else ""
    for verb in _LEADING if _LEADS.search(word) else ():
        if verb in word:
            tail = word.rpartition(verb)[2]
            word = tail if len(tail) > 1 and tail[0] not in "率面" else word
    return word.rstrip("达约共为超近至")
