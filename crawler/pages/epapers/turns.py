"""Articles that go on on another page of the same issue (下转A8版, 上接A1版): marks found, parts joined. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.items import ArticleItem

_PAGE = r"第?\s*([A-Z]{0,2}\d{1,3}[A-Z]?|[一二三四五六七八九十]{1,3})\s*版"
_TURNS_TO = re.compile(rf"[（(【\[]?\s*(?:下转|紧转|转)\s*{_PAGE}[^）)】\]。]{{0,14}}[）)】\]]?\s*$")
_COMES_FROM = re.compile(
    rf"(?P<open>[（(【\[])?\s*(?:紧接|上接|接)\s*{_PAGE}(?(open)[^）)】\]。]{{0,14}}[）)】\]]|)"
)
_DIGITS = {letter: value for value, letter in enumerate("一二三四五六七八九", 1)}
_MARK_LENGTH = 40
_UNFINISHED = "。！？”…）"
#: Both pages agreeing is enough; one of them needs the titles to agree as well.
_ENOUGH = 0.6


@dataclass(slots=True)
class Part:
    """An article with what its marks say: the pages it goes on to and comes from, `here` is the page its text ends on."""

    item: ArticleItem
    goes_to: str | None
    comes_from: str | None
    here: str | None

    @property
    def title(self) -> str:
        return self.item.title + (self.item.kicker or "")


def part_of(item: ArticleItem) -> Part | None:
    """Return the article as a part of one, its marks taken out of title and text and flagged `continued`; else None."""
    lines = item.text.split("\n")
    goes_to = comes_from = None
    if match := _TURNS_TO.search(lines[-1][-_MARK_LENGTH:]):
        goes_to = page_key(match[1])
        lines[-1] = lines[-1][: len(lines[-1]) - len(match[0])].rstrip()
    for place in ("title", "kicker", "subtitle", "first"):
        text = lines[0] if place == "first" else getattr(item, place) or ""
        match = _COMES_FROM.match(text.lstrip()) or (
            None if place == "first" else _COMES_FROM.search(text[-_MARK_LENGTH:])
        )
        if match is None:
            continue
        comes_from = comes_from or page_key(match[2])
        rest = text.replace(match[0], "", 1).strip()
        if place == "first":
            lines[0] = rest
        elif rest or place != "title":
            setattr(item, place, rest or ("" if place == "title" else None))
    if goes_to is None and comes_from is None:
        return None
    item.text = "\n".join(line for line in lines if line)
    item.flags = sorted({*item.flags, "continued"})
    return Part(item, goes_to, comes_from, page_key(item.page_number or "") or None)


def page_key(number: str) -> str:
    """Return a page's number in one form: A01 and A1, 08 and 第八版 are the same."""
    number = number.strip().upper()
    if number and number[0] in "一二三四五六七八九十":
        tens, _, ones = number.rpartition("十")
        number = str((10 * _DIGITS.get(tens, 1) if "十" in number else 0) + _DIGITS.get(ones, 0))
    return re.sub(r"(?<!\d)0+(?=\d)", "", number)


def join_parts(parts: Sequence[Part]) -> list[tuple[ArticleItem, list[ArticleItem]]]:
    """Return each article of one issue with the continuations that were put into it, in the order given.

    An article whose other half is not there, or could be one of several, comes back alone and stays flagged.
    """
    taken: set[int] = set()
    for head in parts:
        head_parts = parts if head.goes_to else ()
        while head.goes_to and (tail := _tail_of(head, [p for p in head_parts if id(p) not in taken])):
            taken.add(id(tail))
            _append(head, tail)
    return [(part.item, _absorbed(part.item, parts, taken)) for part in parts if id(part) not in taken]


def _absorbed(whole: ArticleItem, parts: Sequence[Part], taken: set[int]) -> list[ArticleItem]:
    urls = {page.url for page in whole.more_pages}
    return [
        part.item for part in parts if id(part) in taken and part.item.page and part.item.page.url in urls
    ]


def _tail_of(head: Part, others: Sequence[Part]) -> Part | None:
    ranked = sorted(
        (
            (_score(head, other), -at)
            for at, other in enumerate(others)
            if other.comes_from and other is not head
        ),
        reverse=True,
    )
    if not ranked or ranked[0][0] <= _ENOUGH or (len(ranked) > 1 and ranked[1][0] > ranked[0][0] - 0.05):
        return None
    return others[-ranked[0][1]]


def _score(head: Part, tail: Part) -> float:
    if head.item.published_at != tail.item.published_at:
        return 0.0
    agreeing = 0.4 * (tail.here == head.goes_to) + 0.4 * (head.here == tail.comes_from)
    return agreeing + _shared(head.title, tail.title)


def _shared(a: str, b: str) -> float:
    pairs_a, pairs_b = ({t[i : i + 2] for i in range(len(t) - 1)} for t in (a, b))
    return len(pairs_a & pairs_b) / max(1, min(len(pairs_a), len(pairs_b)))


def _append(head: Part, tail: Part) -> None:
    item, other = head.item, tail.item
    unfinished = item.text[-1:] not in _UNFINISHED
    item.text = item.text + ("" if unfinished else "\n") + other.text
    item.author = item.author or other.author
    known = {image.url for image in item.images}
    item.images += [image for image in other.images if image.url not in known]
    item.more_pages += [page for page in (other.page, *other.more_pages) if page]
    head.goes_to, head.here = tail.goes_to, tail.here
    if head.goes_to is None and head.comes_from is None:
        item.flags = [flag for flag in item.flags if flag != "continued"]
