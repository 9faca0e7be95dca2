"""The headline a page shows, found by agreement: what looks like a headline, stands over the text, and is declared."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from crawler.extract import wording
from crawler.extract.dates import find_stamps
from crawler.extract.tree import Line, Node, Tree
from store.text import nfkc

_TITLE_WORDS = re.compile(
    r"title|headline|biaoti|(?<![a-z])bt\d?(?![a-z])|(?<![a-z])tit(?![a-z])|heading|subject|activity-name|(?<![a-z])h1(?![a-z])"
)
_NOT_TITLE_WORDS = re.compile(
    r"sub[-_]?title|side|nav|logo|crumb|relat|recommend|hot|list|comment|share|foot|author|user|column|channel|source|info|time|date|keyword|mod[-_]|box[-_]?t"
)
_SEPARATORS = re.compile(
    r"\s?[_|｜]{1,3}\s?|\s?-{2,}\s?|\s[-–—·]\s|\s?>{1,2}\s?|\s?«\s?|-(?=[^-]{1,14}$)|—(?=[^—]{1,10}$)|\s(?=[^\s]{1,8}(?:网|频道)$)"
)
_SITE_PART = re.compile(
    r"(?:网|网站|频道|在线|新闻|资讯|客户端|日报|晚报|晨报|时报|早报|都市报|官网|门户|政府|委员会|管委会|高新区|开发区|中心|首页|正文|平台|数字报|电子报|电子版|新闻网|专题|要闻|动态|文章|头条|公众号|手机版|移动版|"
    r"com|cn|net|org|APP)$",
    re.IGNORECASE,
)
_LOUD = frozenset(("strong", "b", "font", "big"))
_SCORE_HEADING = {"h1": 4.0, "h2": 2.5, "h3": 1.5, "h4": 0.8, "h5": 0.4}
#: Score from which a line is believed over the declared title; on the development set right ones have 5 and more.
_SURE = 3.0
#: Score from which a line is believed over a declared title that the page does not show anywhere.
_LIKELY = 2.7
_BYLINE = re.compile(
    r"来\s{0,3}源|稿源|作\s{0,3}者|发布|(?:19|20)\d\d\s?[-/.年]\s?\d|编\s{0,2}辑|选稿|时间[:：]"
)
#: "（2018年3月20日…会议通过）" under the headline of a law is no byline.
_OF_A_LAW = re.compile(r"。|通过|修订|修正|公布|施行|批准|发布\s?[)）]?$")
_BADGE = re.compile(r"^(?:原创|转载|视频|图集|组图|独家|快讯|专题|置顶|头条|热|新|荐|深度|精)\s{1,3}")


@dataclass(slots=True)
class Title:
    """The headline and where it stands: lines[first:last] of the tree (both -1 when it is only declared)."""

    text: str
    first: int = -1
    last: int = -1
    #: the text as headlines are compared
    folded: str = ""
    score: float = 0.0
    kicker: str | None = None
    subtitle: str | None = None


#: Longer texts are no headlines. Pages of one site have the lines above their headlines in common, so that foldings are kept.
_KEPT = 200
_BLANK = re.compile(r"[\s\u200b-\u200f\ufeff]+")


def fold(text: str) -> str:
    """Text for comparing headlines: NFKC, without white space and without quotes' kind."""
    return _fold_short(text) if len(text) <= _KEPT else _fold(text)


def _fold(text: str) -> str:
    return _BLANK.sub("", nfkc(text)).replace("“", '"').replace("”", '"').replace("'", '"')


_fold_short = lru_cache(maxsize=1024)(_fold)


def split_declared(title: str) -> str:
    """The headline part of a <title>: site and channel names are cut from its end, or its start."""
    parts = [p.strip() for p in _SEPARATORS.split(title) if p and p.strip()]
    if len(parts) <= 1:
        return title.strip()
    if len(fold(parts[0])) <= 8 and _SITE_PART.search(parts[0]) and len(fold(parts[1])) > 8:
        return parts[1]
    end = len(parts)
    while end > 1 and (_SITE_PART.search(parts[end - 1]) or len(parts[end - 1]) <= 8):
        end -= 1
    cut = title.find(parts[end - 1]) + len(parts[end - 1])
    start = title.find(parts[0])
    return title[start:cut].strip() if cut > start else parts[0]


def find_title(tree: Tree, declared: list[str], first: int) -> Title | None:
    """The headline for the text that begins in line `first`; None where nothing can be one.

    `declared` are titles for machines without <title>, best first.
    """
    known = [fold(text) for text in [tree.title, *declared] if text]
    best = _best(tree, known, first)
    if best is not None and best.score >= _SURE:
        best.text = _without_badge(best.text, known)
        _add_neighbours(tree, best)
        return best
    stated = _declared_only(tree, declared)
    if stated is None or best is None:
        return stated or best
    floor = _LIKELY if not _SITE_PART.search(stated.text) else 2.0
    return best if best.score >= floor and not _is_shown(tree, stated) else stated


def _best(tree: Tree, known: list[str], first: int) -> Title | None:
    """The candidate of the highest score, the first of equals.

    Those that agree best with a declared title are looked at first; the others seldom have to be.
    """
    begin, end = max(0, first - 120), min(max(first + 4, 1), len(tree.lines))
    candidates = [found for line in tree.lines[begin:end] for found in _candidates(tree, line, known)]
    claims = [(_claim(candidate, known), -place) for place, candidate in enumerate(candidates)]
    best = (-math.inf, 0)
    for claim, place in sorted(claims, reverse=True):
        if claim + _MOST_ADDED < best[0]:
            break
        candidate = candidates[-place]
        candidate.score = _score(tree, candidate, claim, first)
        best = max(best, (candidate.score, place))
    return candidates[-best[1]] if candidates else None


def _is_shown(tree: Tree, title: Title) -> bool:
    folded = fold(title.text)
    return any(folded in fold(line.text) for line in tree.lines if len(line.text) <= len(title.text) + 40)


def _declared_only(tree: Tree, declared: list[str]) -> Title | None:
    for text in [*declared, tree.title]:
        title = split_declared(text)
        if len(fold(title)) >= 4 and "$" not in title:
            return Title(title)
    return None


def _candidates(tree: Tree, line: Line, known: list[str]) -> list[Title]:
    """The line, all lines of its heading, and the lines that together make up a declared title."""
    folded = fold(line.text)
    out = [Title(line.text, line.index, line.index + 1, folded)]
    node = _heading(line.node)
    if node is not None and node.first == line.index and node.last - node.first > 1:
        lines = [x for x in tree.lines[node.first : node.last] if x.hidden == line.hidden]
        if 1 < len(lines) <= 4:
            out.append(_joined(lines))
    if 4 <= len(folded) < 60 and any(
        len(title) > len(folded) + 1 and title.startswith(folded) for title in known
    ):
        for count in (2, 3, 4):
            lines = tree.lines[line.index : line.index + count]
            text = fold("".join(x.text for x in lines))
            if len(lines) == count and any(title.startswith(text) for title in known):
                out.append(_joined(lines))
    return out


def _joined(lines: list[Line]) -> Title:
    text = " ".join(x.text for x in lines)
    return Title(text, lines[0].index, lines[-1].index + 1, fold(text))


def _heading(node: Node) -> Node | None:
    for ancestor in node.ancestors(3):
        if ancestor.tag in _SCORE_HEADING:
            return ancestor
    return None


def _add_neighbours(tree: Tree, title: Title) -> None:
    """Other lines of the headline's own element: above it the kicker (引题), below it the subtitle (副题)."""
    line = tree.lines[title.first]
    node = _heading(line.node)
    if node is not None and node.last - node.first <= 4:
        above = [x.text for x in tree.lines[node.first : title.first]]
        below = [x.text for x in tree.lines[title.last : node.last]]
        title.kicker = " ".join(above) or None
        title.subtitle = " ".join(below) or None
    following = tree.lines[title.last] if title.last < len(tree.lines) else None
    if title.subtitle is None and following is not None and _is_dashed(following.text):
        title.subtitle = following.text
    title.kicker = title.kicker if title.kicker and 4 <= len(title.kicker) <= 60 else None


def _is_dashed(text: str) -> bool:
    return len(text) <= 60 and text.startswith(("——", "──", "--")) and not wording.sentences(text)


def _above_byline(tree: Tree, title: Title, first: int) -> float:
    """A headline stands right above the line of time and source, or right above the text."""
    seen = 0
    for line in tree.lines[title.last : title.last + 6]:
        if line.hidden or wording.is_control(line.text):
            continue
        if line.index >= first:
            return 0.8 if seen == 0 else 0.0
        if len(line.text) <= 160 and _BYLINE.search(line.text) and not _OF_A_LAW.search(line.text):
            return 2.2 if seen == 0 else 1.0
        seen += 1
        if seen > 1:
            break
    return 0.0


#: For a line that is too short or too long for a headline.
_NO_CLAIM = -9.0
#: What looks, place and size can add to a claim at most.
_MOST_ADDED = 8.4


def _claim(title: Title, known: list[str]) -> float:
    """What the line's agreement with the declared titles is worth."""
    return _agreement(title.folded, known) if 4 <= len(title.folded) <= 120 else _NO_CLAIM


def _score(tree: Tree, title: Title, claim: float, first: int) -> float:
    """How much the line is the headline."""
    above = _above_byline(tree, title, first)
    if claim == _NO_CLAIM:
        return claim + above
    line, size = tree.lines[title.first], len(title.folded)
    score = claim + _looks(line)
    distance = max(first - title.last, 0)
    score += 1.5 if distance <= 6 else 0.8 if distance <= 15 else 0.0 if distance <= 40 else -1.0
    score += 0.6 if 8 <= size <= 60 else -1.0 if size < 6 else 0.0
    score -= 3.0 if line.links * 2 > len(line.text) else 0.0
    score -= 2.0 if line.hidden else 0.0
    score -= 2.0 if title.text[-1] in "。；;，：" else 0.0
    if title.first >= first:
        score -= 0.6 if score > 4.0 else 2.0
    return _less_wording(score, title.text, size) + above


def _less_wording(score: float, text: str, size: int) -> float:
    """The score less what the wording says against a headline."""
    if wording.is_control(text) or wording.is_section_head(text) or wording.is_breadcrumb(text):
        score -= 4.0
    if wording.is_caption(text) or wording.is_credit(text):
        score -= 2.0
    if wording.is_origin(text) or wording.is_notice(text) or (size < 50 and _is_dated(text)):
        score -= 4.0
    return score


def _is_dated(text: str) -> bool:
    stamps = find_stamps(text)
    return bool(stamps) and (
        stamps[0].time is not None or len(text) - (stamps[0].span[1] - stamps[0].span[0]) < 10
    )


def _agreement(folded: str, known: list[str]) -> float:
    """How well the line agrees with a declared title: equal, its start, inside it, or containing it."""
    best = 0.0
    for title in known:
        if folded == title:
            best = max(best, 5.0)
        elif len(folded) >= 6 and title.startswith(folded):
            best = max(best, 4.2 + min(0.7, len(folded) / len(title)))
        elif (len(folded) >= 6 and folded in title) or (
            len(title) >= 8 and title.rstrip(".…") in folded and len(title) * 2 > len(folded)
        ):
            best = max(best, 3.5)
        elif len(folded) >= 10 and (
            len(title) >= 10 and (folded[:10] == title[:10] or folded[-10:] in title)
        ):
            best = max(best, 2.0)
    return best


def _looks(line: Line) -> float:
    """How much the line's elements look like a headline: heading, named so, large, bold or centred."""
    score = 0.0
    top = line.node.ancestors(3)[-1].index
    for distance, node in enumerate(line.parts[0][1].ancestors(4)):
        if node.index < top:
            break
        score = max(score, _SCORE_HEADING.get(node.tag, 0.0))
        if distance < 3 and (words := node.words):
            score = max(score, _name_score(words))
        style = node.get("style")
        if node.tag in _LOUD or "font-size" in style:
            score = max(score, 0.8)
        if "center" in style.lower() or node.get("align").lower() == "center":
            score = max(score, 0.7)
    return score


@lru_cache(maxsize=4096)
def _name_score(words: str) -> float:
    if not _TITLE_WORDS.search(words):
        return 0.0
    return 1.0 if _NOT_TITLE_WORDS.search(words) else 2.4


def is_set_off(tree: Tree, title: Title) -> bool:
    """Whether a headline in the text's element is one by its make or by the byline under it, not the text's own line."""
    return _looks(tree.lines[title.first]) >= 1.0 or _above_byline(tree, title, len(tree.lines)) >= 1.0


def _without_badge(text: str, known: list[str]) -> str:
    """Cut a badge ("原创", "视频") that the page sets in front of its headline."""
    found = _BADGE.match(text)
    if found and any(title.startswith(fold(text[found.end() :])[:12]) for title in known):
        return text[found.end() :].strip()
    return text


_FIRST_SENTENCE = re.compile("^.{4,60}?[。！？；!?;]")
_MAX_TITLE = 40


def title_from_text(text: str) -> str:
    """A stand-in headline: the first sentence, cut at a comma where it is long; empty for an empty text."""
    line = text.partition("\n")[0].strip()
    found = _FIRST_SENTENCE.match(line)
    title = (found[0] if found else line[:60]).rstrip("。；;，, ")
    if len(title) > _MAX_TITLE:
        cut = max(title.rfind(mark, 8, _MAX_TITLE) for mark in "，,：:、 ")
        title = title[:cut] if cut > 0 else title[:_MAX_TITLE]
    return title
