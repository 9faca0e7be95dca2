"""Newspaper pages: real ones (newspaper/gold, or .json beside newspaper/pages), made ones, and torn text (seeds/)."""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawler.classify.classify import load_classifier
from crawler.inspecting import inspect_page
from tests.quality.measures import Table, grams, overlap, plain, similar

Case = tuple[Path, dict[str, Any]]


@dataclass
class Sums:
    """Counts over pages; an article is right when its title is >= .95 alike and its body's 4-gram F1 >= .90."""

    pages: int = 0
    articles: int = 0
    right: int = 0
    titles: int = 0
    bodies: int = 0
    false: int = 0
    torn: int = 0
    torn_bodies: int = 0
    advert: int = 0
    leaked: int = 0
    slowest: float = 0.0
    lowest: float = 1.0

    def add(self, gold: dict[str, Any], answer: dict[str, Any]) -> list[str]:
        """Count one page; return the titles that are not right."""
        found, used, wrong = answer["articles"], set(), []
        for article in gold["articles"]:
            best, place = max(
                ((_f1(article, other), at) for at, other in enumerate(found) if at not in used),
                default=(0.0, -1),
            )
            match = found[place] if best > 0.3 else None
            if match:
                used.add(place)
            if not self._count(article, best, match):
                wrong.append(article.get("title") or "(no title)")
        self.false += len(found) - len(used)
        self._leaks(gold, found)
        self.pages += 1
        self.slowest = max(self.slowest, answer["seconds"])
        return wrong

    def _count(self, article: dict[str, Any], f1: float, match: dict[str, Any] | None) -> bool:
        title, body = same_title(article, match), f1 >= 0.9
        self.articles += 1
        self.right += title and body
        self.titles += title and match is not None
        self.bodies += body
        self.lowest = min(self.lowest, f1)
        if article.get("torn"):
            self.torn += 1
            self.torn_bodies += body
        return title and body

    def _leaks(self, gold: dict[str, Any], found: list[dict[str, Any]]) -> None:
        """Count the adverts' letters that stand in the articles read; words that the page's own articles use are no leak."""
        everything = grams(" ".join(article["title"] + article["text"] for article in found))
        own = grams(" ".join((article.get("title") or "") + _body(article) for article in gold["articles"]))
        for advert in [*(gold.get("adverts") or []), *(gold.get("notices") or [])]:
            text = advert if isinstance(advert, str) else advert.get("text", "")
            inner = Counter({gram: count for gram, count in grams(text).items() if gram not in own})
            self.advert += len(plain(text))
            self.leaked += round((inner & everything).total() / max(1, inner.total()) * len(plain(text)))


def _f1(article: dict[str, Any], found: dict[str, Any]) -> float:
    return overlap(grams(_body(article)), grams(found["text"]))[2]


def _body(article: dict[str, Any]) -> str:
    return article.get("body") or "\n".join(article.get("paragraphs") or [])


def same_title(article: dict[str, Any], match: dict[str, Any] | None) -> bool:
    """Say whether the title is right: kicker or subtitle may be joined to it, `title_minimum` is the least of a torn one."""
    if not article.get("title") and not article.get("title_minimum"):
        return True
    if match is None:
        return False
    got = [
        match["title"],
        (match["kicker"] or "") + match["title"],
        match["title"] + (match["subtitle"] or ""),
    ]
    least = article.get("title_minimum") or []
    if least and all(
        plain(part) in plain(match["title"]) for part in ([least] if isinstance(least, str) else least)
    ):
        return True
    wanted = [article.get("title") or "", *(article.get("title_accept") or [])]
    return any(similar(want, have) >= 0.95 for want in wanted for have in got)


def report(arguments: argparse.Namespace) -> None:
    """Print a table for each of the three sets that is there."""
    folder = arguments.data / "newspaper"
    real = list(_real(folder))
    sets = [
        ("newspaper pages, real PDF", real, "newspaper"),
        ("newspaper pages, made PDF", list(_beside(folder / "made", "*.pdf")), "newspaper"),
        (
            "newspaper pages and portal pages, torn text",
            list(_beside(arguments.data / "seeds", "*.txt")),
            "auto",
        ),
    ]
    for title, cases, kind in sets:
        if not cases:
            print(f"\n== {title}\nnone there")
            continue
        sums = Sums()
        for path, gold in cases:
            wrong = sums.add(gold, inspect(path, kind))
            if arguments.verbose and wrong:
                print(f"{path.name}: not right: {'; '.join(wrong)}")
        print(_table(title, sums))
    _refused(folder, {path for path, _ in real})


def inspect(path: Path, kind: str) -> dict[str, Any]:
    """Return what the product makes of one file."""
    return inspect_page(path.name, path.read_bytes(), "", kind, load_classifier())


def _real(folder: Path) -> Iterator[Case]:
    for path in sorted((folder / "gold").glob("*.json")):
        gold = json.loads(path.read_text("utf-8"))
        yield folder / gold["page_pdf"], gold
    yield from _beside(folder / "pages", "*.pdf")


def _beside(folder: Path, pattern: str) -> Iterator[Case]:
    for path in sorted(folder.glob(pattern)):
        beside = path.with_suffix(".json")
        if beside.exists():
            yield path, json.loads(beside.read_text("utf-8"))


def _table(title: str, sums: Sums) -> Table:
    table = Table(f"{title}: {sums.pages} pages, {sums.articles} articles")
    made, torn = "made" in title, "torn" in title
    least = (
        sums.articles - 1
        if not made and not torn
        else math.ceil(0.92 * sums.articles)
        if made
        else sums.articles
    )
    table.add("articles right", sums.right, least)
    table.add("share right", sums.right / max(1, sums.articles))
    table.add("titles right", sums.titles)
    table.add("bodies right (F1 >= .90)", sums.bodies)
    table.add("lowest body F1", sums.lowest, 0.98 if torn else None)
    table.add("false articles", sums.false, 2 if made else 1, most=True)
    if sums.torn:
        table.add("bodies right under torn headlines, share", sums.torn_bodies / sums.torn, 0.6)
    if sums.advert:
        table.add(
            "adverts and notices leaked, share of characters", sums.leaked / sums.advert, 0.01, most=True
        )
    table.add("slowest page", sums.slowest, 1.5, most=True, unit="s")
    return table


def _refused(folder: Path, scored: set[Path]) -> None:
    table = Table("pages without usable Unicode")
    for path in sorted((folder / "pages").glob("*.pdf")):
        if path not in scored:
            status = inspect(path, "newspaper")["status"]
            table.text(path.name, status, "ok" if status == "bad_unicode" else "not scored")
    if table.lines:
        print(table)
