"""Do two texts tell one story? Containment of 4-grams, then the reasons why a high figure may still deceive."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from store.dedup.canonical import MAX_TEXT, fold
from store.dedup.fingerprint import (
    SHORT,
    SHORT_LOOKUP,
    Anchor,
    anchors,
    grams,
    kept_fingerprints,
    query_fingerprints,
)

#: Share of the shorter text's 4-grams found in the longer one from which the two are one story (rewritten copies of
#: 20 % of the sentences: 1 % of pairs below .69; templates of two zones: up to .65, told apart by the vetoes).
SAME = 0.60
#: The same where headlines agree.
SAME_TITLE = 0.55
#: Below this many 4-grams only near identity counts: tiny leftovers are contained in everything.
TINY = 40
SAME_TINY = 0.90
#: An excerpt must be contained to this share unless headlines agree: a brief of two slogan paragraphs is .63 contained.
SAME_EXCERPT = 0.70
#: Share of the longer text below which the shorter one is an excerpt.
EXCERPT = 0.45
#: Needed where one site shows both under different headlines: its furniture alone can make .88.
SAME_SITE = 0.90
#: From this share of either text the two are copies of each other, not a text and its quotation.
WHOLE_COPY = 0.60
#: From this share of numbers in equal places that disagree, the two are siblings of one template ...
CONFLICT = 0.25
#: ... unless nothing but numbers differs (a corrected version), and not nearly all of them do.
ONLY_FIGURES = 0.97
CONFLICT_ALL = 0.80
CONFLICT_ALL_MIN = 5
MIN_CONFLICTS = 2
#: A headline shorter than this many signs (编者的话) says nothing.
MIN_TITLE = 6
#: Share from which two texts that are not one story are worth mentioning together.
RELATED = 0.20
#: Masks glue numbers together, so more of them must disagree.
MIN_CONFLICTS_MASKED = 4
CONFLICT_MASKED = 0.60
#: A date within this many signs of the beginning says which meeting or month is told.
LEAD = 40
_LEAD_DATE = re.compile(r"(?:(\d{1,2})月(?:份|末|底)?)(\d{1,2}日)?|\d{1,2}至(\d{1,2})月")
#: Words that make a headline another one's sequel.
_SEQUEL = re.compile(r"(?:追踪|后续|续报|续闻|最新进展|进展|回访|再报道|续[一二三四五六七八九十]?)$")
#: Signs of page furniture, folded; this many make a text "furnished": it never becomes the original of a clean one.
FURNISHED = 3
_FURNITURE = (
    "首页", "分享到", "责任编辑", "责编", "版权", "设为", "返回目录", "网站声明", "上一篇", "扫一扫",
    "字号", "朋友圈", "相关阅读", "相关新闻", "推荐阅读", "客户端", "打印本页", "正在阅读", "当前位置",
    "发布时间", "作者", "未经授权", "版式",
)  # fmt: skip
#: Lines up to this many characters may be headings; from this many longer ones a text can be called torn.
SHORT_LINE = 12
TORN_LINES = 5
_LINE_ENDS = ("。", "！", "？", "；", "：", "”", "）", "…", ".", "!", "?", ";", ":", '"', ")")
_TRADITIONAL, _SIMPLIFIED = "們個會發國為來時說這學業區黨", "们个会发国为来时说这学业区党"
_NUMBER = re.compile(r"\d+")
_ZONE = re.compile(r"[\u4e00-\u9fff]{2,4}?(?:高新技术产业开发区|高新技术开发区|高新区)")
_DIGITS = str.maketrans("", "", "0123456789")
Zones = Callable[[], Collection[str]]
Found = TypeVar("Found")


def _without_digits(text: str) -> str:
    for digit in "0123456789":  # ten times as fast as a table
        text = text.replace(digit, "")
    return text


def _shared(work: Callable[[Text], Found]) -> cached_property[Found]:
    """A property that is worked out once for a text and all its twins."""

    def work_once(text: Text) -> Found:
        found: Found = work(text) if text.twin_of is None else getattr(text.twin_of, work.__name__)
        return found

    return cached_property(work_once)


class Text:
    """One article in comparison form; everything beyond the folded text is worked out when first asked for."""

    def __init__(
        self,
        title: str,
        text: str,
        *,
        zones: Collection[str] = (),
        host: str = "",
    ) -> None:
        folded, folded_title = fold(text), fold(title)
        self.title = folded_title.text
        self.body = folded.text
        self.masks = folded.masks
        self.title_masked = bool(folded_title.masks)
        self.host = host
        self.twin_of: Text | None = None
        self._given: Zones = lambda: zones
        self._written = text[:MAX_TEXT]

    def with_zones(self, zones: Zones) -> Text:
        """Return the same text with the zones that are known of it, looked up when first asked for; the rest is shared."""
        twin = object.__new__(Text)
        vars(twin).update(vars(self), _given=zones, twin_of=self.twin_of or self)
        vars(twin).pop("given_zones", None)
        return twin

    @cached_property
    def given_zones(self) -> frozenset[str]:
        """The zones that are known of the text otherwise than by its headline."""
        return frozenset(self._given())

    @_shared
    def grams(self) -> set[int]:
        return grams(self.body)

    @_shared
    def anchors(self) -> list[Anchor]:
        return anchors(self.body)

    @_shared
    def wanted(self) -> set[int]:
        """The fingerprints to look this text up by."""
        return query_fingerprints(self.anchors, self.title)

    def kept(self) -> set[int]:
        """Return the fingerprints to keep of this text."""
        between = SHORT < len(self.body) <= SHORT_LOOKUP
        found = anchors(self.body, SHORT) if between else self.anchors
        return kept_fingerprints(found, len(self.body), self.title)

    @_shared
    def plain(self) -> str:
        return _without_digits(self.body)

    @_shared
    def plain_title(self) -> str:
        return _without_digits(self.title)

    @_shared
    def plain_grams(self) -> set[int]:
        return grams(self.plain) if len(self.plain) != len(self.body) else self.grams

    @_shared
    def numbers(self) -> dict[str, set[str]]:
        """Numbers by their surroundings: the four signs before without digits and the two after."""
        found: dict[str, set[str]] = {}
        for match in _NUMBER.finditer(self.body):
            start, end = match.span()
            place = self.body[max(0, start - 4) : start].translate(_DIGITS) + "|" + self.body[end : end + 2]
            found.setdefault(place, set()).add(match.group())
        return found

    @_shared
    def lead_date(self) -> tuple[int, str] | None:
        """The first date of the beginning as (position, figures), None without one."""
        match = _LEAD_DATE.search(self.body[:LEAD])
        return (match.start(), match.group()) if match else None

    @_shared
    def furnished(self) -> bool:
        """Tell whether much page furniture stands in the text."""
        return sum(sign in self.body for sign in _FURNITURE) >= FURNISHED

    @_shared
    def worn(self) -> int:
        """Count the marks of handling, 0 to 3: half-width commas, traditional script, lines torn within sentences."""
        written = self._written
        lines = [line.rstrip() for line in written.split("\n") if len(line) > SHORT_LINE]
        torn = sum(not line.endswith(_LINE_ENDS) for line in lines)
        return (
            (written.count(",") > written.count("，"))
            + (sum(map(written.count, _TRADITIONAL)) > sum(map(written.count, _SIMPLIFIED)))
            + (len(lines) >= TORN_LINES and 2 * torn > len(lines))
        )

    @_shared
    def zones(self) -> frozenset[str]:
        """The zones named by the headline."""
        return frozenset(_ZONE.findall(self.title)) if "高新" in self.title else frozenset()


@dataclass(slots=True, frozen=True)
class Verdict:
    """What comparing `a` with `b` gave. `kind` is same, related or different; shares are of 4-grams, 0 to 1."""

    kind: str
    score: float  # share of the shorter text found in the longer one
    of_a: float
    of_b: float
    reason: str
    vetoed: bool = False  # shares enough to be the same, but something speaks against it
    conflicts: int = 0
    numbers: int = 0


def compare(a: Text, b: Text) -> Verdict:
    """Return the verdict on two texts; symmetric in `kind` and `score`, linear in the texts' lengths."""
    if len(a.body) >= TINY and len(b.body) >= TINY and _holds(a.body, b.body):
        return _contained(a, b)
    masked = bool(a.masks or b.masks)
    left, right = (a.plain_grams, b.plain_grams) if masked else (a.grams, b.grams)
    shorter = min(len(left), len(right))
    if not shorter:
        return Verdict("different", 0.0, 0.0, 0.0, "empty text")
    shared = len(left & right)
    score, of_a, of_b = shared / shorter, shared / len(left), shared / len(right)
    needed = _needed(a, b, shorter, min(of_a, of_b))
    if score < needed:
        kind = "related" if score >= RELATED and shorter >= TINY else "different"
        return Verdict(kind, score, of_a, of_b, f"{score:.3f} shared, {needed:.2f} needed")
    conflicts, numbers = number_conflicts(a, b)
    if veto := _veto(a, b, score, conflicts, numbers, copies=min(of_a, of_b) >= WHOLE_COPY):
        return Verdict("related", score, of_a, of_b, veto, True, conflicts, numbers)
    return Verdict(
        "same", score, of_a, of_b, f"{score:.3f} of the shorter text shared", False, conflicts, numbers
    )


def _holds(a: str, b: str) -> bool:
    if len(a) > len(b):
        a, b = b, a
    return (
        a[:TINY] in b and a in b
    )  # a long needle is prepared for the search even where its beginning is nowhere


def _contained(a: Text, b: Text) -> Verdict:
    """Judge two texts one of which stands in the other sign by sign: no 4-grams are needed."""
    longer = max(len(a.body), len(b.body))
    of_a, of_b = (min(1.0, len(other.body) / len(text.body)) for text, other in ((a, b), (b, a)))
    if min(of_a, of_b) < WHOLE_COPY and (is_sequel(a.title, b.title) or is_sequel(b.title, a.title)):
        return Verdict("related", 1.0, of_a, of_b, "one headline announces a sequel of the other", True)
    return Verdict("same", 1.0, of_a, of_b, f"one stands in the other word for word ({longer} signs)")


def _needed(a: Text, b: Text, shorter: int, of_longer: float) -> float:
    """Return the containment from which these two are one story."""
    if shorter < TINY:
        return SAME_TINY
    if titles_agree(a.title, b.title):
        return SAME_TITLE
    if _one_site(a, b):
        return SAME_SITE
    return SAME_EXCERPT if of_longer < EXCERPT else SAME


def _one_site(a: Text, b: Text) -> bool:
    # Not the publisher: reprints everywhere name the same 来源.
    return bool(a.host and a.host == b.host)


def _veto(a: Text, b: Text, score: float, conflicts: int, numbers: int, *, copies: bool) -> str:
    """Return why two texts that share enough are siblings of one template all the same; empty when nothing says so."""
    if _figures_disagree(a, b, conflicts, numbers):
        return f"{conflicts} of {numbers} figures in equal places disagree"
    if score >= ONLY_FIGURES and copies:
        return ""
    if zones := _zones_differ(a, b):
        return zones
    if series(a, b):
        return "headlines of one series"
    if is_sequel(a.title, b.title) or is_sequel(b.title, a.title):
        return "one headline announces a sequel of the other"
    return ""


def _figures_disagree(a: Text, b: Text, conflicts: int, numbers: int) -> bool:
    if a.masks or b.masks:
        return conflicts >= MIN_CONFLICTS_MASKED and conflicts >= CONFLICT_MASKED * numbers
    if not conflicts:
        return False
    if conflicts >= CONFLICT_ALL_MIN and conflicts >= CONFLICT_ALL * numbers:
        return True
    many = conflicts >= MIN_CONFLICTS and conflicts >= CONFLICT * numbers
    return (many or _lead_dates_differ(a, b)) and _plain_score(a, b) < ONLY_FIGURES


def _zones_differ(a: Text, b: Text) -> str:
    """Return a reason when the headlines, or one headline and what is known of the other text, name different zones."""
    if a.zones and b.zones:
        apart = not a.zones & b.zones
    else:
        given, other = (b.given_zones, a) if a.zones else (a.given_zones, b)
        apart = bool(given and other.zones) and not any(
            zone in other.body or zone in other.title for zone in given
        )
    if not apart:
        return ""
    mine, theirs = ("、".join(sorted(text.zones or text.given_zones)[:2]) for text in (a, b))
    return f"zones differ ({mine} / {theirs})"


def _lead_dates_differ(a: Text, b: Text) -> bool:
    """Tell whether both begin in the same words up to different dates."""
    left, right = a.lead_date, b.lead_date
    if not left or not right or left[1] == right[1]:
        return False
    return a.body[: left[0]].translate(_DIGITS) == b.body[: right[0]].translate(_DIGITS)


def _plain_score(a: Text, b: Text) -> float:
    left, right = a.plain_grams, b.plain_grams
    return len(left & right) / max(1, min(len(left), len(right)))


def number_conflicts(a: Text, b: Text) -> tuple[int, int]:
    """Return how many numbers in equal surroundings disagree, and how many surroundings both texts have."""
    left, right = a.numbers, b.numbers
    both = left.keys() & right.keys()
    return sum(left[place].isdisjoint(right[place]) for place in both), len(both)


def titles_agree(a: str, b: str) -> bool:
    """Tell whether two folded headlines are one: equal, or one holds the other (prefixes, column and site names)."""
    if len(a) > len(b):
        a, b = b, a
    if a == b:
        return len(a) >= MIN_TITLE - 1
    return len(a) >= MIN_TITLE and a in b and not is_sequel(b, a)


def is_sequel(title: str, earlier: str) -> bool:
    """Tell whether folded headline `title` announces a follow-up of what `earlier` heads."""
    stem = _SEQUEL.sub("", title)
    if stem == title or len(stem) < 4:
        return False
    return earlier.startswith(stem) or stem.startswith(earlier)


def series(a: Text, b: Text) -> bool:
    """Tell whether two headlines differ in their numbers only ("…4月份…", "…5月份…"); masked ones say nothing."""
    if a.title == b.title or a.title_masked or b.title_masked or len(a.title) < MIN_TITLE:
        return False
    return a.plain_title == b.plain_title
