"""Relevance, zones and themes: relevance/*.jsonl has labelled items with full text, or a title with the terms of the page."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from crawler.classify.classify import Classification, load_classifier
from crawler.classify.fit import Example, cross_validate
from store.vocabulary.relevance import load_relevance
from tests.quality.measures import Table, harmonic

Item = dict[str, Any]
VIEWS = ("full text", "title and terms", "title")


def report(arguments: argparse.Namespace) -> None:
    """Print the table of every labelled file."""
    files = sorted((arguments.data / "relevance").glob("*.jsonl"))
    if not files:
        print(f"\n== relevance, zones, themes\nno labelled file in {arguments.data / 'relevance'}")
    for path in files:
        items = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
        print(_table(path.name, items, verbose=arguments.verbose))


def views(item: Item) -> Iterator[tuple[str, str]]:
    """Yield (kind of view, text): the full text, or the real title alone and with the terms noted from the page."""
    if item["text"]:
        yield "full text", item["text"]
    elif not item["title_own_words"]:
        yield "title", ""
        yield (
            "title and terms",
            "，".join([*(item.get("zone_surfaces") or []), *(item.get("party_terms") or [])]),
        )


@dataclass
class Counts:
    """What was decided of each question, and the features of the labelled articles."""

    relevance: dict[str, Counter[str]] = field(default_factory=lambda: {view: Counter() for view in VIEWS})
    zones: Counter[str] = field(default_factory=Counter)
    themes: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    asked: int = 0
    seconds: float = 0.0

    def add(self, item: Item, view: str, verdict: Classification, features: dict[str, float]) -> None:
        """Count one verdict; borderline items are left out of relevance, titles alone out of zones and themes."""
        relevant = item["relevant"] == "yes"
        if item["relevant"] != "borderline":
            _count(
                self.relevance[view], {"yes"} if relevant else set(), {"yes"} if verdict.relevant else set()
            )
            if view != "title":
                self.examples.append(Example(features, relevant, site(item)))
        if relevant and view != "title":
            _count(self.zones, gold_zones(item), actors(verdict))
            _count(self.themes, set(item["themes"]), {theme.key for theme in verdict.themes})


def site(item: Item) -> str:
    """Return the host an item is from: items of one site stay in one fold."""
    return urlsplit(item.get("url") or "").hostname or str(item["id"])


def gold_zones(item: Item) -> set[str]:
    """Return the short names; provincial ones end in * in the labels."""
    return {zone.rstrip("*") for zone in item["zones"]}


def actors(verdict: Classification) -> set[str]:
    """Return the zones that act or are reported on."""
    return {zone.name for zone in verdict.zones if zone.role == "actor"}


def _count(counts: Counter[str], wanted: set[str], got: set[str]) -> None:
    counts["hits"] += len(wanted & got)
    counts["false"] += len(got - wanted)
    counts["missed"] += len(wanted - got)


def _table(name: str, items: list[Item], *, verbose: bool) -> Table:
    classifier, counts = load_classifier(), Counts()
    for item in items:
        title = "" if item["title_own_words"] else item["title_guess"] or ""
        for view, text in views(item):
            url = item.get("url") or ""
            started = time.perf_counter()
            verdict = classifier.classify(title, text, url=url)
            counts.seconds += time.perf_counter() - started
            counts.asked += 1
            counts.add(item, view, verdict, classifier.features(title, text, url=url))
            if verbose and view != "title":
                _tell(item, view, title, verdict)
    return _figures(f"{name}, {len(items)} items", counts)


def _tell(item: Item, view: str, title: str, verdict: Classification) -> None:
    if item["relevant"] == "no" and verdict.relevant:
        print(f"{item['id']} {view}: taken for relevant: {title[:40]}")
    if item["relevant"] == "yes" and not verdict.relevant:
        print(f"{item['id']} {view}: not found relevant: {title[:40]}")
    if item["relevant"] == "yes" and actors(verdict) != gold_zones(item):
        print(f"{item['id']} {view}: zones wanted {sorted(gold_zones(item))}, got {sorted(actors(verdict))}")


def _figures(name: str, counts: Counts) -> Table:
    table = Table(f"relevance, zones, themes: {name}")
    relevance = counts.relevance
    both = relevance["full text"] + relevance["title and terms"]
    _add(table, "relevance, texts and titles", both, (0.92, 0.92, None))
    _add(table, "relevance, full texts only", relevance["full text"], (None, None, 0.93))
    _add(table, "relevance, titles alone", relevance["title"], (None, None, None))
    rules = load_relevance()
    prior = {name: math.copysign(0.5, weight) for name, weight in rules.weights.items()}
    fold = cross_validate(counts.examples, {**prior, "bias": rules.bias}, rules.threshold)
    _add(
        table,
        "relevance, 5-fold over sites, fitted from signs",
        Counter(hits=fold.hits, false=fold.false_alarms, missed=fold.misses),
        (0.92, 0.92, None),
    )
    _add(table, "zones, actors", counts.zones, (0.98, 0.95, None))
    _add(table, "themes", counts.themes, (None, None, 0.85))
    table.add("verdicts a second", counts.asked / max(1e-9, counts.seconds))
    return table


def _add(table: Table, name: str, counts: Counter[str], required: tuple[float | None, ...]) -> None:
    if not counts["hits"] + counts["missed"]:
        return
    scores = harmonic(counts["hits"], counts["false"], counts["missed"])
    for word, score, least in zip(("P", "R", "F1"), scores, required, strict=True):
        table.add(f"{name}: {word}", score, least)
