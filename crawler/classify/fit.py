"""Refit the relevance weights on labelled articles: `python -m crawler.classify.fit FILE [FILE ...]`.

Each line of a FILE is a JSON object with title, text, relevant (yes, no or borderline) and, optionally, url, publisher
and group (articles of one source share a group; folds never split a group). The weights are pulled towards those in
force, so that a small set moves only what it speaks about. Prints precision and recall of five folds and the new
[decision] bias and [weights] to be pasted into relevance.toml.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from crawler.classify.classify import Classifier, load_classifier
from store.vocabulary.relevance import load_relevance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDS = 5
#: Strength of the pull towards the weights in force.
_RIDGE = 0.3
_ROUNDS = 400
_RATE = 0.5
#: Features whose weight may not change its sign: evidence for stays for, evidence against stays against.
_BIAS = "bias"


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled article as its features; without zone or Party evidence there are none and the answer is no."""

    features: dict[str, float]
    relevant: bool
    group: str


@dataclass(slots=True)
class Score:
    """Counts of a binary decision."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    wrong: list[Example] = field(default_factory=list)

    def add(self, example: Example, decided: bool) -> None:
        self.hits += decided and example.relevant
        self.false_alarms += decided and not example.relevant
        self.misses += example.relevant and not decided
        if decided != example.relevant:
            self.wrong.append(example)

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.misses)


def read_examples(lines: Iterable[str], classifier: Classifier) -> list[Example]:
    """Return the examples of JSON lines; borderline ones are left out."""
    examples = []
    for line in lines:
        row = json.loads(line)
        if row["relevant"] == "borderline":
            continue
        title, text = row.get("title") or "", row.get("text") or ""
        features = classifier.features(title, text, url=row.get("url") or "", publisher=row.get("publisher"))
        examples.append(Example(features, row["relevant"] == "yes", str(row.get("group") or title)))
    return examples


def probability(weights: dict[str, float], features: dict[str, float]) -> float:
    total = weights[_BIAS] + sum(weights.get(name, 0.0) * value for name, value in features.items())
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))


def fit(examples: Sequence[Example], prior: dict[str, float]) -> dict[str, float]:
    """Return logistic weights for the examples that have features, near `prior` (bias under "bias"), same signs."""
    rows = [example for example in examples if example.features]
    weights = dict(prior)
    positives = sum(example.relevant for example in rows) or 1
    balance = max(1.0, (len(rows) - positives) / positives)
    for _ in range(_ROUNDS):
        slopes = {name: _RIDGE * (weights[name] - prior[name]) for name in weights}
        for example in rows:
            share = (balance if example.relevant else 1.0) * (
                probability(weights, example.features) - float(example.relevant)
            )
            slopes[_BIAS] += share
            for name, value in example.features.items():
                if name in slopes:
                    slopes[name] += share * value
        step = _RATE / max(10, len(rows)) * 4
        weights = {
            name: _same_sign(weight - step * slopes[name], prior[name]) for name, weight in weights.items()
        }
    return weights


def _same_sign(value: float, prior: float) -> float:
    return max(0.0, value) if prior > 0 else min(0.0, value)


def cross_validate(examples: Sequence[Example], prior: dict[str, float], threshold: float) -> Score:
    """Return the score of five folds, each decided by weights that never saw its groups."""
    score = Score()
    for fold_number in range(FOLDS):
        train = [example for example in examples if _fold(example.group) != fold_number]
        weights = fit(train, prior)
        for example in examples:
            if _fold(example.group) == fold_number:
                decided = bool(example.features) and probability(weights, example.features) >= threshold
                score.add(example, decided)
    return score


def _fold(group: str) -> int:
    return crc32(group.encode("utf-8", "replace")) % FOLDS


def main(arguments: Sequence[str]) -> int:
    """Fit on the files named; return the exit status."""
    if not arguments:
        sys.stderr.write("usage: python -m crawler.classify.fit FILE.jsonl [FILE.jsonl ...]\n")
        return 2
    rules = load_relevance()
    prior = {**rules.weights, _BIAS: rules.bias}
    lines = (
        line for name in arguments for line in Path(name).read_text("utf-8").splitlines() if line.strip()
    )
    examples = read_examples(lines, load_classifier())
    score = cross_validate(examples, prior, rules.threshold)
    write = sys.stdout.write
    write(f"# {len(examples)} articles, five folds: P {score.precision:.3f} R {score.recall:.3f}\n")
    weights = fit(examples, prior)
    write(f"bias = {weights.pop(_BIAS):.2f}\n\n[weights]\n")
    for name, weight in weights.items():
        write(f"{name} = {weight:.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
