"""`parknews editor` and `parknews web` as an operator meets them."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from urllib.request import urlopen

from tests.scheduler.program import PARKNEWS, run


def test_editors_are_made_listed_and_removed_without_a_password_on_the_command_line(tmp_path: Path) -> None:
    add = run(tmp_path, "editor", "add", "王编辑", "--password-file", "-", stdin="correct horse battery\n")
    assert (add.returncode, add.stdout.strip()) == (0, "added 王编辑")
    assert "last login never" in run(tmp_path, "editor", "list").stdout
    weak = run(tmp_path, "editor", "password", "王编辑", "--password-file", "-", stdin="short\n")
    assert (weak.returncode, weak.stderr.strip()) == (2, "parknews: a password has 12 to 256 characters")
    assert run(tmp_path, "editor", "remove", "王编辑").returncode == 0
    assert run(tmp_path, "editor", "remove", "王编辑").returncode == 2


def test_the_web_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [PARKNEWS, "web", "--port", "0"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout
    url = process.stdout.readline().split()[0]
    with urlopen(f"{url}healthz") as answer:
        assert answer.read() == b"ok\n"
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "parknews editor add" in log
    assert "Traceback" not in log
