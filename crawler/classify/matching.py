"""One automaton over every word of every vocabulary: the text is read once, whatever the number of words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What words are looked for: parts of zone names, parts of theme terms, evidence for and against relevance.
KINDS = (
    *("head", "short", "anaphor", "zone", "weak", "street"),
    *("theme", "first", "second", "not"),
    *("party", "counter"),
)
#: More hits than this say nothing more (a page of nothing but 党建 stays cheap).
MAX_HITS = 30_000


class Hit(NamedTuple):
    """A word of the vocabulary at folded positions start..end; `data` is what it was registered with."""

    start: int
    end: int
    data: Any


@dataclass(slots=True)
class WordList:
    """Words under construction; a word may be registered for several purposes."""

    words: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)

    def add(self, kind: str, word: str, data: Any) -> None:
        entry = (kind, data)
        entries = self.words.setdefault(word, [])
        if entry not in entries:
            entries.append(entry)

    def add_all(self, kind: str, words: Iterable[str], data: Any) -> None:
        for word in words:
            self.add(kind, word, data)


class Matcher:
    """The compiled word list. Immutable, safe to share between threads."""

    def __init__(self, words: WordList) -> None:
        places = {kind: index for index, kind in enumerate(KINDS)}
        self._uses = [
            tuple((places[kind], data) for kind, data in entries) for entries in words.words.values()
        ]
        self._automaton = AhoCorasick(
            list(words.words), matchkind=MatchKind.Standard, implementation=Implementation.DFA
        )

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Return the hits by kind in order of their ends; overlapping words are all reported, up to MAX_HITS words."""
        lists: list[list[Hit]] = [[] for _ in KINDS]
        uses, make = self._uses, tuple.__new__
        for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)[:MAX_HITS]:
            for place, data in uses[pattern]:
                lists[place].append(make(Hit, (start, end, data)))
        return dict(zip(KINDS, lists, strict=True))


def longest(hits: list[Hit]) -> list[Hit]:
    """Return the hits in order without those that lie inside, or start inside, an earlier or longer one."""
    kept: list[Hit] = []
    end = -1
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if hit.start >= end:
            kept.append(hit)
            end = hit.end
    return kept
