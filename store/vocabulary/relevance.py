"""What makes an article relevant: words, weights, threshold. Data only; crawler.classify applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from store.vocabulary.loading import VocabularyFile, read_toml
from store.vocabulary.themes import check_pattern

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RelevanceRules:
    """The relevance file. `party` and `counter` map a class of words to its words, `weights` a feature to its weight.

    `party_values` say how much a word of each class counts, `themes` the same for themes; `caps` is the highest score an
    article with that feature can get. Scores are 0-1; from `threshold` on an
    article is relevant, from `borderline` on it is kept for the editor.
    """

    threshold: float
    borderline: float
    fitted_on: str
    bias: float
    weights: dict[str, float]
    party: dict[str, tuple[str, ...]]
    party_values: dict[str, float]
    counter: dict[str, tuple[str, ...]]
    themes: dict[str, float]
    caps: dict[str, float]


def load_relevance(directory: Path | None = None) -> RelevanceRules:
    """Return the rules of `directory/relevance.toml`, or of the product's own file when there is none.

    Raises VocabularyError (`FILE:LINE: message`) for broken TOML, missing sections, words and numbers out of range.
    """
    document = read_toml("relevance.toml", directory)
    decision = _section(document, "decision")
    threshold, borderline = (_number(document, decision, key, 0, 1) for key in ("threshold", "borderline"))
    if borderline > threshold:
        raise document.error("borderline must not be above threshold", document.line_of("borderline"))
    party, counter = _words(document, "party"), _words(document, "counter")
    values = _numbers(document, "party_values", 0, 10)
    for name in party:
        if name not in values:
            raise document.error(f"party_values has no {name!r}", document.line_of("[party_values]"))
    return RelevanceRules(
        threshold=threshold,
        borderline=borderline,
        fitted_on=document.string(decision, "fitted_on", document.line_of("[decision]")),
        bias=_number(document, decision, "bias", -50, 50),
        weights=_numbers(document, "weights", -50, 50),
        party=party,
        party_values=values,
        counter=counter,
        themes=_numbers(document, "themes", 0, 100_000),
        caps=_numbers(document, "caps", 0, 1),
    )


def _section(document: VocabularyFile, name: str) -> dict[str, Any]:
    section = document.data.get(name)
    if not isinstance(section, dict) or not section:
        raise document.error(f"no [{name}] in the file")
    return section


def _words(document: VocabularyFile, name: str) -> dict[str, tuple[str, ...]]:
    start = document.line_of(f"[{name}]")
    section = _section(document, name)
    words = {key: document.strings(section, key, start) for key in section}
    for values in words.values():
        for value in values:
            check_pattern(document, value, document.line_of(f'"{value}"', start))
    return words


def _numbers(document: VocabularyFile, name: str, low: float, high: float) -> dict[str, float]:
    section = _section(document, name)
    return {key: _number(document, section, key, low, high) for key in section}


def _number(document: VocabularyFile, section: dict[str, Any], key: str, low: float, high: float) -> float:
    value = section.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise document.error(f"{key} must be a number from {low} to {high}", document.line_of(f"{key} ="))
    return float(value)
