"""An environment in which other distributions got at our packages: named before anything of them is imported."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from scheduler import environment as module
from scheduler.environment import PACKAGES, environment, queue_fault
from tests.loopback import Office

SCHEDULER = Path(module.__file__).parent


@dataclass
class Place:
    """A folder of installed packages: the real scheduler and, as nothing of them may be imported, three empty ones."""

    folder: Path

    def install(self, name: str, files: dict[str, bytes]) -> None:
        """Put files there and record them, as pip does."""
        record = []
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
            checksum = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            record.append(f"{path},sha256={checksum},{len(content)}\n")
        info = self.folder / f"{name.replace('-', '_')}-0.0.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.2\n")
        (info / "RECORD").write_text("".join(record))

    def run(self, *command: str, before: Path | None = None) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(str(folder) for folder in (before, self.folder) if folder)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
        return subprocess.run(
            [sys.executable, "-m", "scheduler", *command],
            env=kept | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "site")
    ours = {f"scheduler/{path.relative_to(SCHEDULER)}": path.read_bytes() for path in SCHEDULER.rglob("*.py")}
    made.install("parknews", ours | {f"{name}/__init__.py": b"" for name in PACKAGES})
    return made


def test_a_distribution_that_overwrote_a_package_is_named_whatever_its_code_does(place: Place) -> None:
    foreign = b"raise RuntimeError('foreign code')\n"
    place.install("store-py", {"store/__init__.py": foreign, "store/config.py": foreign})
    done = place.run("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert (
        f"FAIL package store: {place.folder / 'store'}: distribution store-py put its files there"
        in done.stdout
    )
    assert "--force-reinstall" in done.stdout


def test_any_other_command_names_it_too_instead_of_a_traceback(place: Place) -> None:
    place.install("store-py", {"store/__init__.py": b"import nothing_of_ours\n"})
    done = place.run("status")
    assert done.returncode == 2
    assert "package store" in done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_went_with_the_other_distribution_are_missed(place: Place) -> None:
    (place.folder / "crawler" / "__init__.py").unlink()
    done = place.run("doctor")
    assert done.returncode == 1
    assert "1 files are not those of parknews: crawler/__init__.py" in done.stdout


def test_a_package_that_python_finds_before_ours_is_named(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.folder / "digest", tmp_path / "work" / "digest")
    done = place.run("doctor", before=tmp_path / "work")
    assert done.returncode == 1
    assert f"FAIL package digest: {tmp_path / 'work' / 'digest'}: Python finds this before" in done.stdout
    assert "PYTHONPATH" in done.stdout


def test_an_environment_as_it_should_be_passes() -> None:
    assert not [check for check in environment() if not check.ok]


def test_an_old_python_and_a_missing_dependency_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    old = SimpleNamespace(version_info=(3, 10), version="3.10.1 x", prefix="/usr")
    monkeypatch.setattr(module, "sys", old)
    monkeypatch.setattr(module, "requires", lambda _: ["no-such-distribution>=1", 'other; extra == "x"'])
    found = {check.code: check.detail for check in environment() if not check.ok}
    assert found == {"python": "3.10.1 in /usr", "dependency": "missing: no-such-distribution"}


def test_a_queue_needs_postgresql_and_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PostgreSQL" in queue_fault("sqlite:///parknews.db")
    assert not queue_fault("postgresql+psycopg://a@b/c")
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert "procrastinate" in queue_fault("postgresql://a@b/c")


def test_a_daemon_without_a_queue_for_its_workers_does_not_start(office: Office) -> None:
    (office.folder / "parknews.toml").write_text("[daemon]\nworkers = true\n")
    office.write_sources("")
    done = office.run("parknews", "daemon", timeout=30)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "needs PostgreSQL" in done.stderr
