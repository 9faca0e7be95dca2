"""How stories are ordered: every point has a reason that is shown. Pure functions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

#: Outlets whose report makes a story news for the whole country; matched as part of the publisher's name.
_CENTRAL = [
    "人民日报",
    "新华社",
    "新华网",
    "人民网",
    "求是",
    "光明日报",
    "光明网",
    "经济日报",
    "中国经济网",
    "央视",
    "中央广播电视",
    "中国新闻网",
    "中新网",
    "学习强国",
    "旗帜",
    "党建网",
    "共产党员网",
    "科技日报",
    "中国青年报",
    "工人日报",
    "法治日报",
    "中国纪检监察",
    "中国组织人事报",
    "农民日报",
    "中国妇女报",
    "求是网",
    "国际在线",
]
_INDUSTRY = ("中国高新技术产业导报", "中国高新网", "火炬", "中国产业经济信息网", "中国开发区")
_PROVINCES = [
    "北京",
    "天津",
    "河北",
    "山西",
    "内蒙古",
    "辽宁",
    "吉林",
    "黑龙江",
    "上海",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "广西",
    "海南",
    "重庆",
    "四川",
    "贵州",
    "云南",
    "西藏",
    "陕西",
    "甘肃",
    "青海",
    "宁夏",
    "新疆",
    "南方",
    "新华",
    "大众",
    "解放",
    "文汇",
]
#: A story's weight is multiplied by this for each better placed story of the same zone, so that one zone cannot fill the front.
ZONE_DECAY = 0.8
PIN_POINTS = 1000.0
#: More than all other reasons together (71): an office's own zones come first.
WATCH_POINTS = 80.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a story stands where it stands."""

    label: str
    points: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What a story is weighed by."""

    zones: tuple[str, ...]
    outlets: tuple[str, ...]
    figures: int
    practices: int
    published_at: datetime | None
    follow_up: bool
    pinned: bool
    score: float


def weigh(facts: Facts, watch: Sequence[str], since: datetime) -> list[Reason]:
    """Return the reasons for the story's place, weightiest first; `since` is the start of the issue's period."""
    watched = [zone for zone in facts.zones if zone in watch]
    found = [
        Reason("编辑置顶", PIN_POINTS * facts.pinned),
        Reason(f"关注园区{watched[0]}" if watched else "", WATCH_POINTS * bool(watched)),
        *_outlet_reasons(facts.outlets),
        Reason(f"数据{facts.figures}项", min(9.0, 3.0 * facts.figures)),
        Reason(f"做法{facts.practices}项", min(6.0, 4.0 * facts.practices)),
        Reason("本期内发表", 6.0 * bool(facts.published_at and facts.published_at >= since)),
        Reason("前期后续", 4.0 * facts.follow_up),
        Reason("相关度", round(6.0 * max(0.0, min(1.0, facts.score)), 1)),
    ]
    return sorted((reason for reason in found if reason.points > 0), key=lambda r: -r.points)


def _outlet_reasons(outlets: Sequence[str]) -> list[Reason]:
    rank, label = max((outlet_rank(name) for name in outlets), default=(0, ""), key=lambda r: r[0])
    count = len(outlets)
    return [
        Reason(label, {3: 20.0, 2: 12.0, 1: 5.0}.get(rank, 0.0)),
        Reason(f"{count}家媒体报道", min(20.0, 8.0 * math.log2(count)) if count > 1 else 0.0),
    ]


def outlet_rank(name: str) -> tuple[int, str]:
    """Return 3 for a central outlet, 2 for a provincial or industry paper, 1 for another newspaper, else 0, with its label."""
    if any(word in name for word in _CENTRAL):
        return 3, "中央媒体"
    if any(word in name for word in _INDUSTRY):
        return 2, "行业媒体"
    if name.startswith(tuple(_PROVINCES)) and name.endswith(("日报", "广播电视台", "卫视", "新闻网", "在线")):
        return 2, "省级媒体"
    return (1, "地方报纸") if name.endswith(("报", "晚报", "时报")) else (0, "")


def ordered(weights: Iterable[tuple[int, float, tuple[str, ...]]]) -> list[int]:
    """Return the ids of (id, weight, zones) by weight, each further story of a zone counting less.

    Ties go to the smaller id, so that the order never depends on the order of the input.
    """
    left = sorted(weights, key=lambda w: (-w[1], w[0]))
    told: Counter[str] = Counter()
    order: list[int] = []
    while left:
        best = max(range(len(left)), key=lambda i: (_decayed(left[i][1], left[i][2], told), -i))
        story, _, zones = left.pop(best)
        order.append(story)
        told.update(zones)
    return order


def _decayed(weight: float, zones: tuple[str, ...], told: Counter[str]) -> float:
    if weight >= PIN_POINTS:
        return weight
    return weight * ZONE_DECAY ** min((told[zone] for zone in zones), default=0)
