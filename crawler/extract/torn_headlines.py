"""Headlines of a torn page: put together again from their pieces and given to the articles they belong to."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from crawler.extract.torn_articles import Cut, Draft, Stray, bigrams, overlap, zones_in
from crawler.extract.torn_lines import Kind, Line, cjk_length, is_label, repair_headline

_DASH_END = re.compile("(?:[—\u2500-]{1,2}|[:：])$")
_DASH_START = re.compile("^[—\u2500]{1,2}")
_ZONE_AT_END = re.compile(
    "([\u4e00-\u9fff]{2,4}?(?:高新技术产业开发区|高新区|示范区|经开区|开发区|科学城|新区))$"
)

#: Characters that OCR takes for each other; only such are put right, and only where the body has the same words.
_ALIKE = "向间问同回 人入八 未末 己已巳 日曰 土士 大太犬 干千于 天夫无 治冶 析折 侯候 清请情 建健 力刀九 代伐 今令 王玉主 往住 园圆国 设没 办为 兴头 业亚 贝见 子了 车东 广厂 田由甲"

#: A headline has at most so many characters; what tearing left beyond them is of several.
_MAX_PIECES = 48

#: Score from which a run of headline lines away from an article's start is taken as its headline.
FITS = 1.2


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline with what stands above and below it; `torn` when it was put together from pieces."""

    title: str
    kicker: str | None = None
    subtitle: str | None = None
    torn: bool = False


def assign(cut: Cut) -> dict[int, Headline]:
    """Return the headline of each article that has one, by the article's index; subheads stay with their drafts."""
    pairs = sorted(
        (
            (_fit(stray, index, draft, cut), -abs(stray.article - index), s, index)
            for s, stray in enumerate(cut.strays)
            for index, draft in enumerate(cut.drafts)
            if abs(stray.article - index) <= 3
        ),
        reverse=True,
    )
    found: dict[int, Headline] = {}
    used: set[int] = set()
    for score, _, s, index in pairs:
        if score < FITS or index in found or s in used:
            continue
        found[index] = _headline(cut.strays[s], index, cut)
        used.add(s)
        _no_subhead(cut, cut.strays[s])
    for s, stray in enumerate(cut.strays):
        if s not in used and not _is_subhead(stray):
            _no_subhead(cut, stray)
    return found


def _headline(stray: Stray, index: int, cut: Cut) -> Headline:
    """Return the headline of a run of lines; one found away from its article's start was torn, without its subheads."""
    draft = cut.drafts[index]
    if stray.paragraph == 0 and stray.article == index:
        return rebuild(stray.lines, draft.body)
    lengths = {
        cjk_length(line.text) for row in draft.subheads.values() for line in row if line not in stray.lines
    }
    lines = [line for line in stray.lines if not _like_subhead(line, lengths)]
    whole = len(lines) < len(stray.lines) and sum(cjk_length(line.text) for line in lines) >= 6
    return rebuild(lines if whole else stray.lines, draft.body, torn=True)


def _like_subhead(line: Line, lengths: set[int]) -> bool:
    length = cjk_length(line.text)
    return (
        line.kind is Kind.HEADING and 5 <= length <= 12 and any(abs(length - other) <= 1 for other in lengths)
    )


def _fit(stray: Stray, index: int, draft: Draft, cut: Cut) -> float:
    """Return how well a run of headline lines suits an article as its headline."""
    text = "".join(line.text for line in stray.lines)
    zones, own = set(zones_in(text)), draft.zones
    score = 3.0 * overlap(text, draft.pairs)
    if zones:
        score += 2.0 if zones & set(own) else -2.0
    if stray.article == index:
        score += 3.0 if stray.paragraph == 0 else 1.0
    elif stray.article == index + 1 and stray.paragraph == 0:
        score += 0.2 - 2.0 * (not cut.drafts[stray.article].dateline)
    else:
        score -= 0.5 * abs(stray.article - index)
    plain = _is_subhead(stray) and stray.paragraph > 0 and not zones
    return score - 2.5 * plain - 1.0 * (cjk_length(text) < 5) - 4.0 * is_label(text)


def _is_subhead(stray: Stray) -> bool:
    """Say whether a run of headline lines may stand between two paragraphs as a subhead."""
    whole = all(line.kind is Kind.HEADING for line in stray.lines)
    return (
        whole
        and not stray.inside_sentence
        and len(stray.lines) == 1
        and cjk_length(stray.lines[0].text) <= 22
    )


def _no_subhead(cut: Cut, stray: Stray) -> None:
    kept = cut.drafts[stray.article].subheads.get(stray.paragraph, [])
    kept[:] = [line for line in kept if line not in stray.lines]


def rebuild(lines: list[Line], body: str, *, torn: bool = False) -> Headline:
    """Return the headline made of `lines`: kicker, title and subtitle, or the pieces of a torn one put together."""
    lines = _without_label(lines)
    pieces = any(line.kind is Kind.FRAGMENT or cjk_length(line.text) <= 3 for line in lines)
    if len(lines) > 1 and (torn or pieces):
        return Headline(_put_together(lines, body), torn=True)
    texts = [line.text for line in lines]
    if len(texts) == 1:
        return Headline(repair_headline(texts[0]))
    if _DASH_START.match(texts[-1]):
        return Headline("".join(texts[-2:-1]), kicker="".join(texts[:-2]) or None, subtitle=texts[-1])
    if _DASH_END.search(texts[0]) and _DASH_END.sub("", texts[0]) != texts[0]:
        return Headline(texts[1], kicker=texts[0], subtitle=" ".join(texts[2:]) or None)
    if _broken_in_two(texts, body):
        return Headline("".join(texts), torn=True)
    if len(texts) == 2:
        return Headline(texts[1], kicker=texts[0])
    return Headline(texts[1], kicker=texts[0], subtitle=" ".join(texts[2:]))


def _without_label(lines: list[Line]) -> list[Line]:
    """Return the lines without the name of the page's section that may stand above the headline."""
    while len(lines) > 1 and cjk_length(lines[0].text) <= 8 and lines[0].kind is Kind.HEADING:
        if zones_in(lines[0].text) or not is_label(lines[0].text):
            break
        lines = lines[1:]
    return lines


def _broken_in_two(texts: list[str], body: str) -> bool:
    """Say whether headline lines are one headline broken across lines: a word of the text spans the break."""
    if len(texts) > 3 or sum(cjk_length(text) for text in texts) > 34:
        return False
    pairs = bigrams(body)
    spans = all(a[-1:] + b[:1] in pairs for a, b in itertools.pairwise(texts))
    only_zone = bool(_ZONE_AT_END.fullmatch(texts[0]))
    return only_zone or (spans and min(cjk_length(text) for text in texts) <= 6)


def _put_together(lines: list[Line], body: str) -> str:
    """Return the most likely reading of a torn headline's pieces."""
    pieces = [piece for line in lines for piece in re.split("[ \u3000]+", line.raw or line.text) if piece]
    readings = _readings(pieces[:_MAX_PIECES])
    pairs = bigrams(body)
    best = max(readings, key=lambda reading: _likeness(reading, pairs))
    return _misread(_zone_first(best, body), body)


def _readings(pieces: list[str]) -> list[str]:
    """Return the ways the pieces may be read: in order, and by columns when rows of a vertical headline were torn."""
    readings = ["".join(pieces)]
    width = max(len(piece) for piece in pieces)
    rows = [piece for piece in pieces if len(piece) <= width]
    if 2 <= width <= 4 and sum(len(piece) == width for piece in rows) >= 0.6 * len(rows) and len(rows) >= 3:
        columns = ["".join(piece[i] for piece in rows if i < len(piece)) for i in range(width)]
        readings += ["".join(columns), "".join(reversed(columns))]
    if len(pieces) >= 3:
        readings.append("".join(reversed(pieces)))
    return readings


def _likeness(reading: str, pairs: set[str]) -> float:
    """Return how many neighbouring characters of the reading stand together in the text or in common headlines."""
    own = [reading[i : i + 2] for i in range(len(reading) - 1)]
    return sum(1.0 * (pair in pairs) + 0.6 * (pair in _common_pairs()) for pair in own)


@lru_cache(maxsize=1)
def _common_pairs() -> frozenset[str]:
    """Return character pairs frequent in headlines about Party building in zones."""
    words = (
        "高新区 党建引领 赋能 高质量发展 红色引擎 党组织 党支部 党委 党员 先锋 服务 企业 产业链 融合 双向 治理 城市管理 基层治理 创新 发展 提质增效 聚力 助力 打造"
        " 品牌 阵地 建强 激活 新动能 新引擎 主题教育 党课 学习 贯彻 落实 作风 建设 廉洁 纪律 志愿服务 群众 人才 项目 攻坚 营商环境 示范 样板 联盟 楼宇 园区 两新组织 非公"
        " 凝聚 夯实 筑牢 堡垒 推动 促进 深化 开展 举办 召开 启动 走进 获评 入选 全国 全省 国家级 科技 工作 活动 会议 培训"
    )
    return frozenset(word[i : i + 2] for word in words.split() for i in range(len(word) - 1))


def _zone_first(text: str, body: str) -> str:
    """Return the headline with the article's zone, found at its end or inside it, moved to its front."""
    own = Counter(re.findall("[\u4e00-\u9fff]{2}(?:高新区|示范区|经开区|开发区|科学城)", body)).most_common(1)
    zone = own[0][0] if own else ""
    if not zone or text.count(zone) != 1 or text.startswith(zone):
        return text
    before, _, after = text.partition(zone)
    return zone + before + after if len(before) >= 4 else text


def _misread(text: str, body: str) -> str:
    """Return the headline with a misread character put right where the body has the same words but for it."""
    windows, pairs = _windows(body), bigrams(body)
    for i in range(len(text) - 3):
        window = text[i : i + 4]
        if window in windows:
            continue
        for j in (1, 2):
            keys = windows.get(window[:j] + "?" + window[j + 1 :], set())
            known = window[j - 1 : j + 1] in pairs or window[j : j + 2] in pairs
            if len(keys) == 1 and not known and _alike(window[j], next(iter(keys))):
                text = text[: i + j] + next(iter(keys)) + text[i + j + 1 :]
                break
    return text


def _alike(one: str, other: str) -> bool:
    return any(one in group and other in group for group in _ALIKE.split())


@lru_cache(maxsize=8)
def _windows(body: str) -> dict[str, set[str]]:
    """Return for every four characters of the body with one left out (?) the characters that stood there."""
    bare = re.sub(r"\W", "", body)
    found: dict[str, set[str]] = {}
    for i in range(len(bare) - 3):
        window = bare[i : i + 4]
        found.setdefault(window, set())
        for j in (1, 2):
            found.setdefault(window[:j] + "?" + window[j + 1 :], set()).add(window[j])
    return found
