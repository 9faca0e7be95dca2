"""Provinces, prefectures and counties, for zones named after them and for the city an article is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from store.vocabulary.loading import read_text

#: Words of everyday language that are also county names: never read as a place without 县, 区 or 市.
_EVERYDAY = """
同心 互助 和平 建设 共和 大方 平安 通道 解放 东方 安定 新城 城关 新华 团风 永和 开放 中心 集美 会同 文化
高新 长安 前进 工农 向阳 民主 兴业 长乐 太和 永安 双清 新兴 新建 建始 合作 惠民 同德 安居 中山区
西市 城中 城东 城西 城北 江北 江南 河东 河西 河北 南山 西山 东山 港口 河口 中原 市中 市南 市北 双江 云龙
"""
EVERYDAY = frozenset(_EVERYDAY.split())
_SUFFIX = re.compile(r"(?:(?:[\u4e00-\u9fff]{1,4}族)+自治[县州旗]|自治[县旗]|[县市区旗])$")


@dataclass(frozen=True, slots=True)
class Prefecture:
    """A prefecture-level city or equivalent: short name, province, pinyin and initials as in hosts, full county names."""

    name: str
    province: str
    pinyin: str
    initials: str
    counties: tuple[str, ...]


@lru_cache(maxsize=1)
def load_prefectures() -> tuple[Prefecture, ...]:
    """Return every prefecture of places.tsv; counties under a province itself have a prefecture named `-`."""
    text, _ = read_text("places.tsv")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(
        Prefecture(name, province, pinyin, initials, tuple(counties.split()))
        for province, name, pinyin, initials, counties in rows
    )


def load_outlets() -> dict[str, str]:
    """Return the hosts that belong to one city and the city's name, from outlets.tsv."""
    text, _ = read_text("outlets.tsv")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {host: city for host, city, *_ in rows}


def county_short(full: str) -> str:
    """Return a county's name without its class (浏阳市 -> 浏阳), or as it is when one character would remain."""
    short = _SUFFIX.sub("", full)
    return short if len(short) >= 2 else full
