"""Stories: stories/docs.jsonl in order of arrival, truth.jsonl (stories of each), pairs.jsonl (same or not, by kind); .gz too."""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.stories import group_documents
from store.story_scratch import scratch_database
from tests.quality.measures import Table, peak_mb

#: Kinds that are shown and not counted: nobody could tell (abstracts, a half under furniture), or the seeds themselves.
UNCOUNTED = {"abstract", "boiler+trunc50", "seeds"}
#: Pairs of failed extraction, shown and not counted as false merges.
FAILED_EXTRACTION = {"sharedboiler"}
#: Least recall of each kind and most false merges.
KIND, FALSE = 0.95, 0.0005


def report(arguments: argparse.Namespace) -> None:
    """Group the documents and print recall, false merges, B³ and every kind."""
    folder = arguments.data / "stories"
    if not _path(folder, "docs").exists():
        print(f"\n== stories\n{folder}/docs.jsonl is not there")
        return
    truth = {row["id"]: row for row in _rows(folder, "truth")}
    started, before = time.perf_counter(), _cpu()
    story, also = _group(folder)
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    for name in truth.keys() - story.keys():
        story[name] = f"missing {name}"
    kinds, wrong = _pairs(folder, truth, story, also)
    table = Table(
        f"stories: {len(truth)} documents, {sum(total for _, total in kinds.values())} labelled pairs"
    )
    _totals(table, kinds)
    _cubed(table, truth, story)
    table.add("CPU an article", 1000 * cpu / len(truth), 2, most=True, unit="ms")
    table.add("seconds in all", seconds)
    table.add("peak memory", peak_mb(), 150, most=True, unit="MB")
    _by_kind(table, kinds)
    print(table)
    if arguments.verbose:
        print("\n".join(f"{kind}: {first} {second}" for kind, first, second in wrong))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _path(folder: Path, name: str) -> Path:
    packed = folder / f"{name}.jsonl.gz"
    return packed if packed.exists() else folder / f"{name}.jsonl"


def _rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    path = _path(folder, name)
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as lines
    ):
        yield from map(json.loads, lines)


def _group(folder: Path) -> tuple[dict[str, Any], dict[str, set[Any]]]:
    story: dict[str, Any] = {}
    also: dict[str, set[Any]] = defaultdict(set)
    documents = (
        {
            "id": row["id"],
            "title": row.get("title"),
            "text": row.get("text"),
            "publisher": row.get("source"),
            "published_at": row.get("published"),
            "url": row.get("url"),
        }
        for row in _rows(folder, "docs")
    )
    with scratch_database() as engine:
        for answer in group_documents(engine, documents):
            story[answer["id"]] = answer["story"]
            also[answer["id"]] = set(answer.get("also") or ())
    return story, also


def _pairs(
    folder: Path, truth: dict[str, Any], story: dict[str, Any], also: dict[str, set[Any]]
) -> tuple[dict[tuple[bool, str], tuple[int, int]], list[tuple[str, str, str]]]:
    together, total, wrong = Counter[tuple[bool, str]](), Counter[tuple[bool, str]](), []
    for pair in _rows(folder, "pairs"):
        first, second, wanted = pair["a"], pair["b"], bool(pair["same"])
        same = story[first] == story[second]
        if wanted and pair["relation"] == "contains":  # a page of several stories may join any one of them
            same = (
                same
                or story[second] in also[first]
                or any(story[first] == story.get(part) for part in truth[first]["of"])
            )
        total[wanted, pair["kind"]] += 1
        together[wanted, pair["kind"]] += same
        if same != wanted:
            wrong.append((pair["kind"], first, second))
    return {key: (together[key], total[key]) for key in total}, wrong


def _totals(table: Table, kinds: dict[tuple[bool, str], tuple[int, int]]) -> None:
    for wanted, left_out, name in (
        (True, UNCOUNTED, "recall of pairs"),
        (False, FAILED_EXTRACTION, "false merges"),
    ):
        counted = [value for (same, kind), value in kinds.items() if same == wanted and kind not in left_out]
        share = sum(hit for hit, _ in counted) / max(1, sum(total for _, total in counted))
        table.add(name, share, 0.995 if wanted else FALSE, most=not wanted)


def _cubed(table: Table, truth: dict[str, Any], story: dict[str, Any]) -> None:
    """Add B³; a page of several stories counts for the one that its group mostly holds."""
    single = Counter(
        (story[name], row["stories"][0]) for name, row in truth.items() if len(row["stories"]) == 1
    )
    real = {
        name: max(row["stories"], key=lambda one: (single[story[name], one], -row["stories"].index(one)))
        for name, row in truth.items()
    }
    both = Counter((story[name], real[name]) for name in truth)
    groups, stories = Counter(story[name] for name in truth), Counter(real.values())
    precision = sum(count * count / groups[group] for (group, _), count in both.items()) / len(truth)
    recall = sum(count * count / stories[one] for (_, one), count in both.items()) / len(truth)
    table.add("B³ F1", 2 * precision * recall / (precision + recall), 0.995)
    table.add("B³ precision", precision)
    table.add("B³ recall", recall)
    table.add("stories in truth", len(stories))
    table.add("stories found", len(groups))


def _by_kind(table: Table, kinds: dict[tuple[bool, str], tuple[int, int]]) -> None:
    for (wanted, kind), (hit, total) in sorted(kinds.items(), key=lambda item: (not item[0][0], item[0][1])):
        left_out = kind in UNCOUNTED | FAILED_EXTRACTION
        name = f"{'  +' if wanted else '  -'} {kind} (of {total}{', not counted' if left_out else ''})"
        table.add(name, hit / total, KIND if wanted and not left_out else None)
