"""Which themes an article has: every word of the vocabulary weighed by class and place, the clear ones kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from crawler.classify.matching import Hit, WordList, longest
from store.vocabulary.themes import GAP, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crawler.classify.folding import Folded

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
        for index, theme in enumerate(themes):
            for kind, terms in (("strong", theme.strong), ("terms", theme.terms), ("weak", theme.weak)):
                for term in terms:
                    self._register(words, _Word(index, kind, term))
            words.add_all("not", theme.excluded, index)

    def _register(self, words: WordList, word: _Word) -> None:
        first, gap, second = word.term.partition(GAP)
        if gap:
            words.add("first", first, word)
            words.add("second", second, word)
        else:
            words.add("theme", word.term, word)

    def find(self, folded: Folded, hits: dict[str, list[Hit]], title_end: int) -> list[ThemeTag]:
        """Return the article's themes, clearest first, each once with its best evidence; `text` is left empty."""
        by_theme: dict[int, list[Hit]] = defaultdict(list)
        barred = {(hit.data, position) for hit in hits["not"] for position in range(hit.start, hit.end)}
        for hit in (*hits["theme"], *_joined(folded.text, hits)):
            if not barred or (hit.data.theme, hit.start) not in barred or (hit.data.theme, hit.end - 1) not in barred:
                by_theme[hit.data.theme].append(hit)
        scores = {theme: self._score(found, title_end) for theme, found in by_theme.items()}
        floor = max(self._values["least"], self._values["share"] * max(scores.values(), default=0.0))
        kept = sorted((theme for theme, score in scores.items() if score >= floor), key=lambda theme: -scores[theme])
        return [self._tag(theme, by_theme[theme], folded, title_end) for theme in kept[: int(self._values["most"])]]

    def _score(self, found: list[Hit], title_end: int) -> float:
        """Every different word counts by class and best place, its repetitions a little more, up to five of them."""
        best: dict[str, float] = {}
        count: dict[str, int] = defaultdict(int)
        values = self._values
        for hit in longest(found):
            place = values["title"] if hit.start < title_end else values["lead"] if hit.start < title_end + _LEAD else 1.0
            value = values[hit.data.kind] * place
            best[hit.data.term] = max(best.get(hit.data.term, 0.0), value)
            count[hit.data.term] += 1
        return sum(value * (1 + values["repeat"] * min(4, count[term] - 1)) for term, value in best.items())

    def _tag(self, theme: int, found: list[Hit], folded: Folded, title_end: int) -> ThemeTag:
        hit = min(found, key=lambda hit: (-self._values[hit.data.kind], hit.start >= title_end, hit.start))
        start, end = folded.span(hit.start, hit.end)
        return ThemeTag(self._keys[theme], "title" if hit.start < title_end else "text", start, end, "")


def _joined(text: str, hits: dict[str, list[Hit]]) -> list[Hit]:
    """Return the hits of terms with a gap: the second part follows the first within reach and within the sentence."""
    firsts: dict[_Word, list[Hit]] = defaultdict(list)
    for hit in hits["first"]:
        firsts[hit.data].append(hit)
    joined = []
    for second in hits["second"]:
        candidates = firsts.get(second.data)
        if not candidates:
            continue
        index = bisect_left(candidates, second.start, key=lambda hit: hit.end)
        first = candidates[index] if index < len(candidates) and candidates[index].end == second.start else None
        first = first or (candidates[index - 1] if index else None)
        if first and 0 <= second.start - first.end <= _REACH:
            if _SENTENCE_ENDS.isdisjoint(text[first.end : second.start]):
                joined.append(Hit(first.start, second.end, second.data))
    return joined
