"""Other extractors over the same pages in the same run, in an environment of their own (.venv-peers)."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.quality.measures import Table, mean

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-peers"
PYTHON = HOME / "bin" / "python"
PINS = ROOT / "requirements" / "peers.txt"
PEERS = ("trafilatura", "readability-lxml", "newspaper4k", "gne")
FIELDS = ("title", "day", "minute", "source", "editor", "author")

Row = dict[str, Any]


def report(
    folder: Path, gold: list[Row], ours: list[Row], times: dict[str, float], judge: Callable[[Row, Row], Row]
) -> None:
    """Print a line for each peer and for ourselves, with how many times as long each takes.

    `times` are further medians of our own in milliseconds, by name.
    """
    if trouble := install():
        print(f"\n== other extractors\ncannot be installed, so they are left out: {trouble}", flush=True)
        return
    own = _median(ours)
    table = Table(
        f"other extractors, the same {len(gold)} pages, decoded for them; body only where a field is –"
    )
    table.text("", HEAD)
    table.text("parknews", line(ours, own, own, None))
    for name, median in times.items():
        table.text(name, f"{median:6.1f}   {median / own / 1000:7.1f}      ")
    for peer in PEERS:
        answers, memory = run(peer, folder, gold)
        if not answers:
            table.text(peer, "did not run")
            continue
        rows = [judge(page, answers.get(page["file"], {})) for page in gold]
        table.text(peer, line(rows, _median(rows), own, memory))
    print(table, flush=True)


HEAD = "   ".join(
    [*(f"{name:>6}" for name in (*FIELDS, "body", ">=.95", "=0", "whole")), "CPU ms", " x ours", " MB"]
)


def line(rows: list[Row], median: float, own: float, memory: float | None) -> str:
    """Return one line of the comparison: shares in per cent, mean body F1, median milliseconds of CPU, ratio, memory."""
    cells = [_percent([row[key] for row in rows if key in row]) for key in FIELDS]
    f1 = [row["f1"] for row in rows if "f1" in row]
    cells += [
        f"{mean(f1):6.3f}",
        _percent([value >= 0.95 for value in f1]),
        _percent([value == 0 for value in f1]),
    ]
    cells.append(_percent([row["whole"] for row in rows if "whole" in row]))
    cells += [f"{1000 * median:6.1f}", f"{median / own:7.1f}", f"{memory:3.0f}" if memory else "   "]
    return "   ".join(cells)


def _percent(values: list[bool]) -> str:
    return f"{100 * mean(values):6.1f}" if values else "     –"


def _median(rows: list[Row]) -> float:
    return statistics.median(float(row["cpu"]) for row in rows)


def install() -> str:
    """Make the environment when it is not there or the pins are newer; return "" or why it cannot be made."""
    stamp = HOME / "installed"
    if stamp.exists() and stamp.stat().st_mtime >= PINS.stat().st_mtime:
        return ""
    print("making .venv-peers (once)", flush=True)
    steps = [
        [sys.executable, "-m", "venv", str(HOME)],
        [
            str(PYTHON),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "-q",
            "--no-deps",
            "-r",
            str(PINS),
        ],
    ]
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, check=False, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[
                -1
            ]
    stamp.touch()
    return ""


def run(peer: str, folder: Path, gold: list[Row]) -> tuple[dict[str, Row], float]:
    """Return a peer's answers by file and its peak memory in MB; no answers when it cannot run."""
    pages = [
        {"file": page["file"], "path": str(folder / "pages" / page["file"]), "url": page.get("url") or ""}
        for page in gold
    ]
    done = subprocess.run(
        [str(PYTHON), "-W", "ignore", str(Path(__file__).with_name("peers_worker.py")), peer],
        input="\n".join(json.dumps(page) for page in pages),
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    rows = [json.loads(row) for row in done.stdout.splitlines() if row.startswith("{")]
    if done.returncode:
        print(f"{peer}: {done.stderr.strip().splitlines()[-1:]}")
    return {row["file"]: row for row in rows if "file" in row}, next(
        (row["mb"] for row in rows if "mb" in row), 0.0
    )
