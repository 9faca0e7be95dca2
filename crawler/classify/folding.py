"""The form in which text is searched: simplified, half width, without noise inside words, with the way back."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from store.dedup.canonical import simplified_signs

_HAN = "\u3400-\u9fff"
#: Pinyin that mirror sites put in brackets behind random characters: 区(qū), 高(gao)新.
_PINYIN = re.compile(rf"[(（](?<=[{_HAN}].)[a-zà-üāēěīńňōūǎǐǒǔǖǘǚǜ]{{1,6}}[)）]")
#: White space (spelt out: a search for the class is three times slower), soft hyphens, zero-width marks.
_BLANKS = (
    "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\u00ad\u200b-\u200f\u2060\ufeff"
)
#: They are noise between Han characters, and before or behind bracketed pinyin; a mark before them is none of these.
_BLANK = re.compile(
    rf"[{_BLANKS}](?<=[)\u3400-\ufefe\uff00-\U0010ffff].)(?<![！？；：，）].)[{_BLANKS}]*(?=[{_HAN}])",
    re.DOTALL,
)
_ENTITY = re.compile(r"</?[a-zA-Z][^<>]{0,80}>|&nbsp;|&[lr]dquo;")
_SURROGATE = re.compile("[\ud800-\udfff]")


#: Stands between title and text; belongs to no word.
BETWEEN = "\x01"


@dataclass(frozen=True, slots=True)
class Folded:
    """Searchable text and the map back: `original(i)` is where character i of `text` stood.

    `cuts` are the positions in `text` before which something was left out, `shifts` how many characters in all;
    `blanks` are the cuts made by white space, which may separate words that only look joined.
    """

    text: str
    cuts: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    blanks: frozenset[int] = frozenset()

    def original(self, position: int) -> int:
        if not self.cuts:
            return position
        index = bisect_right(self.cuts, position)
        return position + (self.shifts[index - 1] if index else 0)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original (start, end) of the folded range; noise inside it is inside, noise behind it is not."""
        return self.original(start), self.original(end - 1) + 1


@dataclass(frozen=True, slots=True)
class FoldedArticle:
    """Title and text as given, and both folded into one stretch: the title up to `title_end`, BETWEEN, the text."""

    title: str
    text: str
    folded: Folded
    title_end: int

    def place(self, start: int, end: int) -> tuple[str, int, int, str]:
        """Return field, start, end and words of what stands at folded start..end."""
        first, last = self.folded.span(start, end)
        if start < self.title_end:
            return "title", first, last, self.title[first:last]
        offset = len(self.title) + 1
        return "text", first - offset, last - offset, self.text[first - offset : last - offset]


def fold_page(title: str, text: str) -> FoldedArticle:
    """Return both folded; a BETWEEN inside the title is read as a space."""
    title = title.replace(BETWEEN, " ")
    folded = fold(f"{title}{BETWEEN}{text}")
    return FoldedArticle(title, text, folded, folded.text.index(BETWEEN))


@lru_cache(maxsize=1)
def _characters() -> tuple[dict[str, str], re.Pattern[str]]:
    """Return the one-to-one foldings and a pattern that finds any character that has one."""
    table = {
        old: new for old, new in simplified_signs().items() if "\u3400" <= old <= "\u9fff" and len(new) == 1
    }
    table |= {
        chr(code): chr(code - 0xFEE0)
        for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
    }
    return table, re.compile(f"[{''.join(table)}]")


def fold(text: str) -> Folded:
    """Return `text` folded; the work is done only where something is to be folded, in linear time."""
    table, foldable = _characters()
    # Not by `translate`, which is slow for every character that stays: most texts hold none or few of the others.
    text = foldable.sub(lambda found: table[found[0]], text)
    text = without_surrogates(text)
    noise = _noise(text)
    return _without(text, noise) if noise else Folded(text)


def without_surrogates(text: str) -> str:
    """Return `text` with a replacement character for every lone surrogate, which the automatons refuse."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def _noise(text: str) -> list[tuple[int, int, bool]]:
    """Return (start, end, is white space) of what is to be left out, in order and disjoint."""
    found = [(m.start(), m.end(), True) for m in _BLANK.finditer(text)]
    if "(" in text or "（" in text:
        found += [(m.start(), m.end(), False) for m in _PINYIN.finditer(text)]
    if "<" in text or "&" in text:
        found += [(m.start(), m.end(), False) for m in _ENTITY.finditer(text)]
    found.sort()
    return found


def _without(text: str, noise: list[tuple[int, int, bool]]) -> Folded:
    pieces: list[str] = []
    cuts: list[int] = []
    shifts: list[int] = []
    blanks: set[int] = set()
    at = length = removed = 0
    for start, end, blank in noise:
        if start < at:
            continue
        pieces.append(text[at:start])
        length += start - at
        removed += end - start
        if cuts and cuts[-1] == length:
            shifts[-1] = removed
        else:
            cuts.append(length)
            shifts.append(removed)
        if blank:
            blanks.add(length)
        at = end
    pieces.append(text[at:])
    return Folded("".join(pieces), tuple(cuts), tuple(shifts), frozenset(blanks))
