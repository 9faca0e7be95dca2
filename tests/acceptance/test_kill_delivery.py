from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

#: How many processes to kill; PARKNEWS_KILLS=1000 for the long run.
KILLS = int(os.environ.get("PARKNEWS_KILLS", "100"))


def test_no_crash_loses_or_doubles_a_mail_and_each_leaves_at_most_one_in_doubt() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.kill_arena", str(KILLS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60 + KILLS,
    )
    counts = json.loads(finished.stdout)
    print(counts)
    assert counts["crashes"] >= KILLS
    assert (counts["lost"], counts["duplicates"], counts["unknown"], counts["unfinished"]) == (0, 0, 0, 0)
    assert 0 < counts["in_doubt"] <= counts["crashes"]
    assert counts["sent"] > counts["in_doubt"]
