"""`make quality`: every figure that is required of the product, measured on real material, beside what is required.

    python tests/quality/report.py [--data DIR] [--peers] [--only PART ...] [--verbose]

DIR (default: $PARKNEWS_SHARED/data or ../shared/data) has html/, lists/, newspaper/, seeds/, relevance/ and stories/, or some
of them, in the form that each part's module describes. Each part runs in a process of its own, so that its memory is its own.
It is a report: the exit status is 0 whatever it says.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("html", "lists", "newspaper", "classify", "stories")


def default_data() -> Path:
    """Return the folder of real material that is looked for when none is named."""
    shared = os.environ.get("PARKNEWS_SHARED")
    return Path(shared) / "data" if shared else ROOT.parent / "shared" / "data"


def parse() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description="Measured quality, beside what is required.")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of real material")
    parser.add_argument("--peers", action="store_true", help="also run other extractors over the same pages")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    parser.add_argument("--verbose", action="store_true", help="also name what is wrong")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print the parts one after the other."""
    arguments = parse()
    if arguments.here:
        sys.path.insert(0, str(ROOT))
        importlib.import_module(f"tests.quality.{arguments.only[0]}_report").report(arguments)
        return
    print(f"Measured on {arguments.data}", flush=True)
    for part in arguments.only:
        command = [sys.executable, __file__, "--here", "--only", part, "--data", str(arguments.data)]
        command += [flag for flag in ("--peers", "--verbose") if getattr(arguments, flag.strip("-"))]
        done = subprocess.run(command, check=False)
        if done.returncode:
            print(f"\n== {part}\nthis part ended with status {done.returncode}", flush=True)


if __name__ == "__main__":
    main()
