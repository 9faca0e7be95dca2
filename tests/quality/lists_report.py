"""List pages: lists/gold.json names column and channel pages in lists/pages with their article links."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from typing import Any

from crawler.classify.classify import load_classifier
from crawler.inspecting import inspect_page
from tests.quality.measures import Table, address, mean, overlap

#: The least F1 of the links that is required of each kind of page.
REQUIRED = {"column": 0.99, "channel": 0.95}


def report(arguments: argparse.Namespace) -> None:
    """Print F1, precision and recall of the links by kind of page."""
    folder = arguments.data / "lists"
    if not (folder / "gold.json").exists():
        print(f"\n== list pages\n{folder}/gold.json is not there")
        return
    scores: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for page in json.loads((folder / "gold.json").read_text("utf-8")):
        score = _score(folder, page)
        scores[page["kind"]].append(score)
        if arguments.verbose and score[2] < 1:
            print(f"{page['file']}: links P {score[0]:.3f} R {score[1]:.3f} F1 {score[2]:.3f}")
    table = Table(f"list pages: {sum(map(len, scores.values()))} scored")
    for kind in sorted(scores, reverse=True):
        precision, recall, f1 = (mean(values) for values in zip(*scores[kind], strict=True))
        table.add(f"{kind}: links F1 (of {len(scores[kind])})", f1, REQUIRED.get(kind))
        table.add(f"{kind}: precision", precision)
        table.add(f"{kind}: recall", recall)
    print(table)


def _score(folder: Any, page: dict[str, Any]) -> tuple[float, float, float]:
    body = (folder / "pages" / page["file"]).read_bytes()
    answer = inspect_page(page["file"], body, page.get("url") or "", "list", load_classifier())
    found = Counter({str(address(link["url"])) for link in answer["links"]})
    return overlap(Counter({str(address(link["url"])) for link in page["links"]}), found)
