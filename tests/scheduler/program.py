"""The command as people start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARKNEWS = str(Path(sys.executable).parent / "parknews")


def run(
    folder: Path, *arguments: str, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder` with an environment of its own; return what it printed, whatever its exit status."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **(env or {})}
    return subprocess.run(
        [PARKNEWS, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        input=stdin,
        timeout=60,
        check=False,
    )
