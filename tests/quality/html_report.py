"""Article pages: html/gold.json names pages in html/pages with title, time, source, author, editor and body."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from crawler.classify.classify import load_classifier
from crawler.extract.decoding import decode
from crawler.inspecting import inspect_page
from tests.quality import peers
from tests.quality.measures import Table, grams, mean, moment, overlap, peak_mb, plain

Row = dict[str, Any]


def report(arguments: argparse.Namespace) -> None:
    """Print the table of article pages, and the one of other extractors when it is asked for."""
    folder = arguments.data / "html"
    if not (folder / "gold.json").exists():
        print(f"\n== article pages\n{folder}/gold.json is not there")
        return
    gold = [page for page in json.loads((folder / "gold.json").read_text("utf-8")) if "doubtful" not in page]
    answers = read_all(folder, gold)
    rows = [judge(page, answers[page["file"]]) for page in gold]
    print(table(rows, gold, folder), flush=True)
    if arguments.verbose:
        tell(rows, gold, answers)
    if arguments.peers:
        peers.report(
            folder, gold, rows, {"parknews, reading only": _median_ms(read_only(folder, gold), "cpu")}, judge
        )


class NoVerdict:
    """Stands in for the classifier where only the reading is timed, as the other extractors do no more."""

    def classify(self, *_: Any, **__: Any) -> NoVerdict:
        return self

    def to_dict(self) -> Row:
        return {}


def read_only(folder: Path, gold: list[Row]) -> list[Row]:
    """Return the times of reading the pages without zones, themes and relevance."""
    return [read(folder, page, NoVerdict()) for page in gold]


def read_all(folder: Path, gold: list[Row]) -> dict[str, Row]:
    """Return {title, published_at, text, publisher, author, editor, seconds, status} by file."""
    classifier = load_classifier()
    read(folder, gold[0], classifier)  # what is loaded once is not a page's time
    return {page["file"]: read(folder, page, classifier) for page in gold}


def read(folder: Path, page: Row, classifier: Any) -> Row:
    """Return what the product makes of one page, and its seconds: bytes to record with zones, themes and relevance."""
    body = (folder / "pages" / page["file"]).read_bytes()
    started, busy = time.perf_counter(), time.process_time()
    answer = inspect_page(page["file"], body, page.get("url") or "", "article", classifier)
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    articles = answer["articles"] or [{}]
    return {**articles[0], "seconds": seconds, "cpu": cpu, "status": answer["status"]}


def judge(page: Row, found: Row) -> Row:
    """Return what is right of one page: booleans by field, "f1" of the body, only for what the gold has."""
    row: Row = {"file": page["file"], "title": plain(page["title"]) == plain(found.get("title"))}
    row |= _times(page, moment(found.get("published_at")))
    for ours, theirs in (("publisher", "source"), ("author", "author"), ("editor", "editor")):
        if page.get(theirs):
            row[theirs] = plain(page[theirs]) == plain(found.get(ours))
    if page["body_text"].strip():
        row["f1"] = overlap(grams(page["body_text"]), grams(found.get("text")))[2]
        when = row.get("minute", row.get("day", True)) and not row.get("invented")
        row["whole"] = bool(row["title"] and when and row.get("source", True) and row["f1"] >= 0.95)
    return row | {key: found.get(key, 0.0) for key in ("seconds", "cpu")}


def _times(page: Row, found: tuple[str | None, str | None]) -> Row:
    day, minute = moment(page.get("publish_time"))
    if not day:
        return {"invented": found[0] is not None}
    row: Row = {"day": found[0] == day}
    if minute:
        row["minute"] = found in {
            moment(value) for value in [page["publish_time"], *page.get("publish_time_alt", [])]
        }
    return row


def table(rows: list[Row], gold: list[Row], folder: Path) -> Table:
    """Return the figures of our own reading."""
    made = Table(f"article pages: {len(rows)} scored, gold shows what each has")

    def have(key: str) -> list[float]:
        return [float(row[key]) for row in rows if key in row]

    f1 = have("f1")
    made.share("title exact", have("title"), 97)
    made.share("day", have("day"), 99)
    made.share("day invented where there is none", have("invented"), 0, most=True)
    made.share("minute", have("minute"), 95)
    made.share("source exact", have("source"), 94)
    made.share("editor exact, all names", have("editor"), 92)
    made.share("author exact, all names", have("author"), 88)
    made.add(f"body F1, mean (of {len(f1)})", mean(f1), 0.98)
    made.share("body F1 >= .95", [value >= 0.95 for value in f1], 94)
    made.share("body F1 = 0", [value == 0 for value in f1], 1, most=True)
    made.share("WHOLE RECORD", have("whole"), 85)
    made.share("decoded right from bytes", [decoded_right(folder, page) for page in gold], 100)
    made.add("median CPU time a page, whole record", _median_ms(rows, "cpu"), 15, most=True, unit="ms")
    made.add("median time a page on this machine now", _median_ms(rows, "seconds"), unit="ms")
    made.add("peak memory", peak_mb(), 80, most=True, unit="MB")
    return made


def _median_ms(rows: list[Row], key: str) -> float:
    return 1000 * statistics.median(float(row[key]) for row in rows)


def decoded_right(folder: Path, page: Row) -> bool:
    """Say whether the page's text is what its true encoding gives, broken bytes apart."""
    body = (folder / "pages" / page["file"]).read_bytes()
    wanted: str = body.decode(page["encoding"], "replace").lstrip("\ufeff").replace("\ufffd", "")
    return decode(body).text.replace("\ufffd", "") == wanted


def tell(rows: list[Row], gold: list[Row], answers: dict[str, Row]) -> None:
    """Print a line for every field that is wrong."""
    names = {
        "title": "title",
        "source": "publisher",
        "author": "author",
        "editor": "editor",
        "day": "published_at",
        "minute": "published_at",
    }
    for row, page in zip(rows, gold, strict=True):
        for key, ours in names.items():
            if row.get(key) is False:
                wanted = page["publish_time"] if ours == "published_at" else page[key]
                print(f"{page['file']}: {key}: wanted {wanted!r}, got {answers[page['file']].get(ours)!r}")
        if row.get("f1", 1) < 0.95:
            print(f"{page['file']}: body F1 {row['f1']:.3f}")
