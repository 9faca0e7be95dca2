"""The container file's steps in a bare Debian tree, without a container engine: built by chroot, run read-only as its own user.

Needs root and, in PARKNEWS_TEST_ROOT, such a tree (`debootstrap --variant=minbase --include=python3-venv,ca-certificates bookworm
TREE` and `ln -s python3 TREE/usr/bin/python`); packages come from wherever pip is set up to take them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BARE = os.environ.get("PARKNEWS_TEST_ROOT", "")
LENT = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not BARE or os.geteuid() != 0, reason="no bare system in PARKNEWS_TEST_ROOT, or not root"
    ),
]


@dataclass
class Image:
    """A tree that the container file's lines are carried out in."""

    tree: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def carry_out(self, line: str) -> None:
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            self.variables = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin"}
        elif word == "ENV":
            for name, value in re.findall(r"(\w+)=(\S+)", rest):
                self.variables[name] = value.replace("$PATH", self.variables["PATH"])
        elif word == "WORKDIR":
            self.folder = rest
            self.at(rest).mkdir(parents=True, exist_ok=True)
        elif word == "COPY" and not rest.startswith("--from"):
            self._copy(*rest.split())
        elif word == "RUN":
            done = self.run("sh", "-c", re.sub(r"--mount=\S+\s*", "", rest))
            assert done.returncode == 0, done.stderr[-2000:]
        elif word in {"USER", "ENTRYPOINT", "CMD"}:
            setattr(
                self,
                {"USER": "user", "ENTRYPOINT": "entry", "CMD": "command"}[word],
                rest if word == "USER" else json.loads(rest),
            )

    def at(self, path: str) -> Path:
        return self.tree / path.lstrip("/")

    def _copy(self, *words: str) -> None:
        target = self.at(f"{self.folder}/{words[-1]}")
        for word in words[:-1]:
            if (ROOT / word).is_dir():
                shutil.copytree(ROOT / word, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / word, target)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a build step: as root, the tree writable."""
        lent = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PIP_") or name.lower().endswith("_proxy")
        }
        return self._call(
            ["chroot", str(self.tree), "sh", "-c", f'cd {self.folder} && exec "$@"', "-", *words], lent
        )

    def use(self, script: str, office: Path) -> subprocess.CompletedProcess[str]:
        """Run a shell script as the image's user, everything read-only but the office and /tmp."""
        mounts = (
            'mount --bind "$1" "$1" && mount --bind "$2" "$1/office" && mount -t tmpfs tmpfs "$1/tmp" && '
            'mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -o remount,bind,ro "$1" && '
            'exec chroot --userspec="$3" "$1" sh -c "cd /office; $4"'
        )
        return self._call(
            [
                "unshare",
                "-m",
                "sh",
                "-c",
                mounts,
                "-",
                str(self.tree),
                str(office),
                f"{self.user}:{self.user}",
                script,
            ],
            {},
        )

    def _call(self, words: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env=self.variables | more, capture_output=True, text=True, timeout=1200, check=False
        )


def lines() -> list[str]:
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    made = Image(tmp_path_factory.mktemp("image") / "tree")
    subprocess.run(["cp", "-a", BARE, made.tree], check=True)
    for path in LENT:
        shutil.copy(path, made.at(path))
    for line in lines():
        made.carry_out(line)
    return made


def test_the_image_serves_an_office_read_only_and_without_root(image: Image, tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    (tmp_path / "in").mkdir()
    os.chown(tmp_path / "in", 10001, 10001)
    assert (image.entry, image.command) == (["parknews"], ["daemon"])
    made = image.use(
        "id -u; touch /opt/parknews/x; parknews init .; rm sources.toml; parknews doctor", tmp_path
    )
    assert made.stdout.startswith("10001\n")
    assert "Read-only file system" in made.stderr
    assert "ok   package digest: /opt/parknews/" in made.stdout
    assert "ok   database: sqlite:////office/var/parknews.db" in made.stdout


def test_a_demonstration_runs_in_the_image(image: Image, tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    shown = image.use("parknews demo", tmp_path)
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert "3 sent now" in shown.stdout


def test_the_daemon_runs_in_the_image_and_ends_when_told(image: Image, tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    (tmp_path / "parknews.toml").write_text("[daemon]\ntick_seconds = 1\n", encoding="utf-8")
    (tmp_path / "sources.toml").write_text("", encoding="utf-8")
    ran = image.use(
        f"timeout --signal=TERM 20 {' '.join(image.entry + image.command)}; echo ended $?", tmp_path
    )
    assert "leading" in ran.stderr
    assert "daemon stopped" in ran.stderr
    assert "ended 124" in ran.stdout  # what `timeout` says of a program that it had to end
    assert "Traceback" not in ran.stderr
