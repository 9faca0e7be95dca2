from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.databases import emptied

#: How many processes to kill; PARKNEWS_KILLS=1000 for the long run.
KILLS = int(os.environ.get("PARKNEWS_KILLS", "100"))


def accidents(kills: int, *more: str) -> dict[str, int]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.kill_arena", str(kills), *more],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=120 + kills,
    )
    counts: dict[str, int] = json.loads(finished.stdout)
    print(counts)
    assert counts["crashes"] >= kills
    return counts


def assert_nothing_lost_or_doubled(counts: dict[str, int]) -> None:
    assert (counts["lost"], counts["duplicates"], counts["unknown"], counts["unfinished"]) == (0, 0, 0, 0)
    assert counts["in_doubt"] <= counts["crashes"]
    assert counts["sent"] > counts["in_doubt"]


def test_no_crash_loses_or_doubles_a_mail_and_each_leaves_at_most_one_in_doubt() -> None:
    counts = accidents(KILLS)
    assert_nothing_lost_or_doubled(counts)
    assert counts["in_doubt"] > 0


def test_nor_does_one_with_the_ledger_in_postgresql(postgresql_url: str) -> None:
    emptied(postgresql_url).dispose()
    assert_nothing_lost_or_doubled(accidents(KILLS // 5, "1", postgresql_url))
