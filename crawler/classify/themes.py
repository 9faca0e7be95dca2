"""Which themes an article has: every word of the vocabulary weighed by class and place, the clear ones kept."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from crawler.classify.matching import Hit, WordList, longest
from store.vocabulary.themes import GAP, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.classify.folding import FoldedArticle

#: How far apart the two parts of a term with a gap may stand, in characters.
_REACH = 16
_SENTENCE_ENDS = frozenset("。！？；\n!?;\x01")
_LEAD = 160


class _Word(NamedTuple):
    theme: int
    kind: str
    term: str


@dataclass(frozen=True, slots=True)
class ThemeTag:
    """A theme with the words that show it: `text` at start..end of the title or the text."""

    key: str
    field: str
    start: int
    end: int
    text: str


class ThemeFinder:
    """Scores the themes of a vocabulary. Immutable; its words are registered in the shared word list."""

    def __init__(self, themes: Sequence[Theme], values: Mapping[str, float], words: WordList) -> None:
        self._keys = [theme.key for theme in themes]
        self._values = dict(values)
        seconds: dict[str, list[_Word]] = defaultdict(list)
        for index, theme in enumerate(themes):
            for kind, terms in (("strong", theme.strong), ("terms", theme.terms), ("weak", theme.weak)):
                for term in terms:
                    word = _Word(index, kind, term)
                    first, gap, second = term.partition(GAP)
                    words.add("first" if gap else "theme", first, word)
                    if gap:
                        seconds[second].append(word)
            words.add_all("not", theme.excluded, index)
        for second, owners in seconds.items():
            words.add("second", second, tuple(owners))

    def find(self, page: FoldedArticle, hits: dict[str, list[Hit]]) -> list[ThemeTag]:
        """Return the article's themes, clearest first, each once with its best evidence."""
        title_end = page.title_end
        by_theme: dict[int, list[Hit]] = defaultdict(list)
        barred = {(hit.data, position) for hit in hits["not"] for position in range(hit.start, hit.end)}
        for hit in (*hits["theme"], *_joined(page.folded.text, hits)):
            if (
                not barred
                or (hit.data.theme, hit.start) not in barred
                or (hit.data.theme, hit.end - 1) not in barred
            ):
                by_theme[hit.data.theme].append(hit)
        scores = {theme: self._score(found, title_end) for theme, found in by_theme.items()}
        top = max(scores.values(), default=0.0)
        long = len(page.text) >= self._values["long"]
        share = self._values["share_long" if long else "share"]
        floor = (
            max(self._values["least"], share * top) if top >= self._values["least"] else self._values["lone"]
        )
        kept = sorted(
            (theme for theme, score in scores.items() if score >= floor), key=lambda theme: -scores[theme]
        )
        return [self._tag(theme, by_theme[theme], page) for theme in kept[: int(self._values["most"])]]

    def _score(self, found: list[Hit], title_end: int) -> float:
        """Every different word counts by class and best place, its repetitions a little more, up to five of them."""
        best: dict[str, float] = {}
        count: dict[str, int] = defaultdict(int)
        values = self._values
        for hit in longest(found):
            value = values[hit.data.kind] * self._place(hit.start - title_end)
            best[hit.data.term] = max(best.get(hit.data.term, 0.0), value)
            count[hit.data.term] += 1
        return sum(value * (1 + values["repeat"] * min(4, count[term] - 1)) for term, value in best.items())

    def _place(self, offset: int) -> float:
        """Return what a word counts for standing `offset` characters behind the title (negative: inside it)."""
        if offset < 0:
            return self._values["title"]
        return self._values["lead"] if offset < _LEAD else 1.0

    def _tag(self, theme: int, found: list[Hit], page: FoldedArticle) -> ThemeTag:
        hit = min(
            found, key=lambda hit: (-self._values[hit.data.kind], hit.start >= page.title_end, hit.start)
        )
        return ThemeTag(self._keys[theme], *page.place(hit.start, hit.end))


def _joined(text: str, hits: dict[str, list[Hit]]) -> list[Hit]:
    """Return the hits of terms with a gap: the second part follows the first within reach and within the sentence."""
    if not hits["first"] or not hits["second"]:
        return []
    firsts: dict[_Word, list[Hit]] = defaultdict(list)
    for hit in hits["first"]:
        firsts[hit.data].append(hit)
    active = {
        owners: [word for word in owners if word in firsts] for owners in {hit.data for hit in hits["second"]}
    }
    joined = []
    for second in hits["second"]:
        for word in active[second.data]:
            first = _last_before(firsts[word], second.start)
            if first and _SENTENCE_ENDS.isdisjoint(text[first.end : second.start]):
                joined.append(Hit(first.start, second.end, word))
    return joined


def _last_before(firsts: list[Hit], position: int) -> Hit | None:
    """Return the last hit that ends at or before `position`, within reach of it."""
    index = bisect_right(firsts, position, key=_end)
    if index and position - firsts[index - 1].end <= _REACH:
        return firsts[index - 1]
    return None


def _end(hit: Hit) -> int:
    return hit.end
