"""The container file built and run by a real engine, with what deploy/compose.yaml asks of it: read-only, without rights, as its own user.

Needs an engine, named in PARKNEWS_TEST_ENGINE (docker or podman), and the base image or a registry that has it. Further words for the
build (another base, an index) and for each run stand in PARKNEWS_TEST_BUILD and PARKNEWS_TEST_RUN: docs/howto/run-in-a-container.md.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = os.environ.get("PARKNEWS_TEST_ENGINE", "")
NAME = f"parknews-test-{os.getpid()}"
WITHOUT_SOURCES = "printf '[daemon]\\ntick_seconds = 1\\n' > parknews.toml; echo '# none' > sources.toml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ENGINE, reason="no container engine in PARKNEWS_TEST_ENGINE"),
]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    """Let the engine do something; whether it could is for the caller to ask."""
    return subprocess.run([ENGINE, *words], capture_output=True, text=True, timeout=1200, check=False)


def until(reached: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.5)


def service(name: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
    return dict(found["services"][name])


@dataclass
class Office:
    """A volume that containers of the image serve."""

    volume: str

    def words(self, name: str) -> list[str]:
        """What the compose file asks for the service NAME, less other containers, secrets and ports."""
        asked = service(name)
        assert (asked["init"], asked["read_only"]) == (True, True)
        flags = {
            "--tmpfs": asked["tmpfs"],
            "--cap-drop": asked["cap_drop"],
            "--security-opt": asked["security_opt"],
            "--pids-limit": [asked["pids_limit"]],
            "--memory": [asked["mem_limit"]],
            "--volume": [f"{self.volume}:/office"],
        }
        more = shlex.split(os.environ.get("PARKNEWS_TEST_RUN", ""))
        given = [f"{flag}={value}" for flag, values in flags.items() for value in values]
        return ["--init", "--read-only", *given, *more]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return call("run", "--rm", *self.words("daemon"), NAME, *command)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        return call("run", "--rm", "--entrypoint=sh", *self.words("daemon"), NAME, "-c", script)

    def serves(self, name: str, sign: str) -> None:
        """Assert that the service NAME shows SIGN, is healthy by its own check, and ends by itself within ten seconds."""
        box = f"{self.volume}-{name}"
        asked = service(name)
        started = call("run", "--detach", f"--name={box}", *self.words(name), NAME, *asked["command"])
        assert started.returncode == 0, started.stderr[-2000:]
        try:
            until(lambda: sign in said(box))
            check = asked["healthcheck"]["test"]
            assert check[0] == "CMD"
            until(lambda: call("exec", box, *check[1:]).returncode == 0)
            assert call("stop", "-t", "10", box).returncode == 0
            ended = call("inspect", "--format={{.State.ExitCode}}", box).stdout.strip()
            assert ended == "0", said(box)  # 137 had it to be killed
            assert "Traceback" not in said(box)
        finally:
            call("rm", "--force", box)


def said(box: str) -> str:
    told = call("logs", box)
    return told.stdout + told.stderr


@pytest.fixture(scope="module", autouse=True)
def image() -> Iterator[None]:
    more = shlex.split(os.environ.get("PARKNEWS_TEST_BUILD", ""))
    built = call("build", f"--tag={NAME}", *more, str(ROOT))
    assert built.returncode == 0, built.stderr[-2000:]
    yield
    call("rmi", "--force", NAME)


@pytest.fixture
def office() -> Iterator[Office]:
    volume = f"{NAME}-{time.monotonic_ns()}"
    yield Office(volume)
    call("volume", "rm", "--force", volume)


def test_the_image_serves_an_office_read_only_and_without_rights(office: Office) -> None:
    made = office.run("init")
    assert made.returncode == 0, made.stderr[-2000:]
    asked = office.shell(
        "id -u; grep CapBnd /proc/self/status; touch /opt/parknews/x; rm sources.toml; parknews doctor"
    )
    assert asked.stdout.startswith("10001\nCapBnd:\t0000000000000000\n")
    assert "Read-only file system" in asked.stderr
    assert "ok   package digest: /opt/parknews/" in asked.stdout
    assert "ok   database: sqlite:////office/var/parknews.db" in asked.stdout


def test_a_folder_of_somebody_else_is_one_clear_line(office: Office) -> None:
    refused = call("run", "--rm", "--user=10002", *office.words("daemon"), NAME, "init")
    assert refused.returncode == 2
    assert refused.stderr.strip() == "parknews: [Errno 13] Permission denied: 'inbox'"


def test_a_demonstration_runs_in_the_image(office: Office) -> None:
    shown = office.run("demo")
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert "3 sent now" in shown.stdout


def test_the_daemon_is_healthy_and_ends_when_told(office: Office) -> None:
    assert office.shell(WITHOUT_SOURCES).returncode == 0
    office.serves("daemon", "started, leading")


def test_the_web_is_healthy_and_ends_when_told(office: Office) -> None:
    assert office.shell(WITHOUT_SOURCES).returncode == 0
    office.serves("web", "the web is served at")
