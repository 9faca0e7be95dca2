"""Is an article about Party building done by or in a high-tech zone? A score with its reasons."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.classify.matching import Hit, WordList, longest

if TYPE_CHECKING:
    from crawler.classify.zones import Found, Mention
    from store.vocabulary.relevance import RelevanceRules

#: Party words nearer than this to a zone's name are about the zone, in characters.
NEAR = 60
_LEAD = 220
#: A university, hospital or company goes to see the zone: its Party day, not the zone's.
_VISITOR = re.compile(
    "(?:大学|学院|学校|中学|研究所|研究院|医院|银行|公司|集团)[^，。：:；]{0,12}?(?:赴|走进|来到|前往|参观|牵手)"
)
#: Three kana in a row: a page in Japanese, not one that names a brand.
_KANA = re.compile("[\u3041-\u30fa]{3}")
#: An article about a zone speaks of it at least once in so many characters.
_SPACING = 400


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that spoke for (weight > 0) or against (< 0): `term` is the word or zone, `note` names the feature."""

    field: str
    term: str
    weight: float
    note: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The score (0-1), its reasons by weight and the features behind it."""

    score: float
    reasons: list[Reason]
    features: dict[str, float]


@dataclass(slots=True)
class _Evidence:
    """What a feature rests on, for the reasons."""

    features: dict[str, float]
    terms: dict[str, tuple[str, str]]

    def set(self, feature: str, value: float, term: str = "", field: str = "text") -> None:
        if value:
            self.features[feature] = value
            self.terms[feature] = (field, term)


class RelevanceScorer:
    """Scores with the rules of the vocabulary. Immutable; its words are registered in the shared word list."""

    def __init__(self, rules: RelevanceRules, words: WordList) -> None:
        self.rules = rules
        for name, terms in rules.party.items():
            words.add_all("party", terms, name)
        for name, terms in rules.counter.items():
            words.add_all("counter", terms, name)

    def score(self, text: str, hits: dict[str, list[Hit]], found: Found, title_end: int) -> Verdict:
        """Return the verdict; without any zone or without any Party word the score is 0."""
        party = [hit for hit in longest(hits["party"]) if self.rules.party_values[hit.data]]
        evidence = _Evidence({}, {})
        if not party or not (found.tags or found.generic):
            missing = "no Party word" if not party else "no zone"
            return Verdict(0.0, [Reason("text", "", 0.0, missing)], {})
        self._zone_features(evidence, text, found, title_end)
        self._party_features(evidence, text, party, found, title_end)
        self._counter_features(evidence, text, hits, found, title_end)
        return self._verdict(evidence)

    def _zone_features(self, evidence: _Evidence, text: str, found: Found, title_end: int) -> None:
        real = [mention for mention in found.mentions if not mention.masked]
        speaking = [mention for mention in real if not mention.listed]
        first = speaking[0] if speaking else None
        word = text[first.start : first.end] if first else ""
        if real and real[0].start < title_end:
            evidence.set("zone_title", 1.0, text[real[0].start : real[0].end], "title")
        elif speaking and all(mention.located_in(text) for mention in speaking):
            evidence.set("zone_located", 1.0, word)
        elif first and first.start < title_end + _LEAD:
            evidence.set("zone_lead", 1.0, word)
        named = any(tag.level for tag in found.tags)
        spoken = len(speaking) + (len(real) - len(speaking)) * 0.3 + (_anaphors(found) / 2 if named else 0)
        evidence.set("zone_count", min(1.0, spoken / 4), word)
        if "zone_title" not in evidence.features:
            evidence.set(
                "zone_thin", max(0.0, 1 - spoken * _SPACING / max(len(text) - title_end, _SPACING)), word
            )
        if found.outside and found.anaphors:
            evidence.set("zone_outside", 1.0, found.outside.short, "source")
        evidence.set("title_only", float(title_end + 1 >= len(text)), "", "title")
        evidence.set("zone_unresolved", float(not named), word)
        evidence.set("zone_mention", float(named and not found.actors), word)
        evidence.set("zone_generic", float(not found.tags), "高新区")

    def _party_features(
        self, evidence: _Evidence, text: str, party: list[Hit], found: Found, title_end: int
    ) -> None:
        values = self.rules.party_values
        titled = {text[hit.start : hit.end]: values[hit.data] for hit in party if hit.start < title_end}
        bodied = {text[hit.start : hit.end]: values[hit.data] for hit in party if hit.start >= title_end}
        evidence.set("party_title", min(1.5, sum(titled.values())), _first(titled), "title")
        evidence.set("party_text", min(1.0, sum(bodied.values()) / 5), "、".join(list(bodied)[:6]))
        repeated = sum(values[hit.data] for hit in party)
        evidence.set("party_density", min(1.0, repeated * 60 / max(len(text), 300)), _first(bodied or titled))
        near = _near(party, found, title_end)
        evidence.set(
            "party_near",
            min(1.0, sum({text[hit.start : hit.end]: values[hit.data] for hit in near}.values()) / 2.5),
            text[near[0].start : near[0].end] if near else "",
        )
        mass = next((word for word in self.rules.party.get("mass", ()) if word in text[:title_end]), "")
        evidence.set("mass_title", float(bool(mass)), mass, "title")

    def _counter_features(
        self, evidence: _Evidence, text: str, hits: dict[str, list[Hit]], found: Found, title_end: int
    ) -> None:
        by_class: dict[str, list[Hit]] = {}
        for hit in longest(hits["counter"]):
            by_class.setdefault(hit.data, []).append(hit)
        for name, group in by_class.items():
            titled = [hit for hit in group if hit.start < title_end]
            word = text[group[0].start : group[0].end]
            if titled and f"{name}_title" in self.rules.weights:
                evidence.set(f"{name}_title", 1.0, text[titled[0].start : titled[0].end], "title")
            if f"{name}_text" in self.rules.weights:
                different = {text[hit.start : hit.end] for hit in group}
                evidence.set(f"{name}_text", min(1.0, len(different) / 4), word)
        kana = _KANA.search(text)
        if kana:
            evidence.set("foreign", 1.0, kana[0])
        visitor = _VISITOR.search(text, 0, title_end)
        if visitor and all(mention.start >= visitor.end() for mention in found.mentions):
            evidence.set("visitor_title", 1.0, visitor[0], "title")
        if found.masked and not any(tag.level for tag in found.tags):
            evidence.set("masked", 1.0, "X高新区")

    def _verdict(self, evidence: _Evidence) -> Verdict:
        total = self.rules.bias
        reasons = []
        for feature, value in evidence.features.items():
            weight = self.rules.weights.get(feature, 0.0) * value
            total += weight
            if weight:
                field, term = evidence.terms[feature]
                reasons.append(Reason(field, term, round(weight, 3), feature))
        reasons.sort(key=lambda reason: -abs(reason.weight))
        score = 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))
        for feature, cap in self.rules.caps.items():
            if feature in evidence.features and score > cap:
                field, term = evidence.terms[feature]
                reasons.insert(0, Reason(field, term, 0.0, f"{feature}: at most {cap}"))
                score = cap
        return Verdict(score, reasons, evidence.features)


def _anaphors(found: Found) -> int:
    """Return how often the article says 我区 and the like; 园区 counts where the zone's own outlet says it."""
    return sum(hit.data or found.outside is not None for hit in found.anaphors)


def _first(words: dict[str, float]) -> str:
    return max(words, key=lambda word: words[word], default="")


def _near(party: list[Hit], found: Found, title_end: int) -> list[Hit]:
    """Return the Party words within NEAR characters of a zone that is more than listed, in the same field."""
    anchors: list[Mention] = [
        mention for mention in found.mentions if not mention.listed and not mention.masked
    ]
    starts = [mention.start for mention in anchors]
    near = []
    for hit in party:
        index = bisect_left(starts, hit.start)
        for anchor in anchors[max(0, index - 1) : index + 1]:
            gap = max(hit.start - anchor.end, anchor.start - hit.end, 0)
            if gap <= NEAR and (hit.start < title_end) == (anchor.start < title_end):
                near.append(hit)
                break
    return near
