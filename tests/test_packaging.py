"""What is installed is what the checkout holds, and nobody else's."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("crawler", "scheduler", "store", "digest")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_packages(package: str) -> None:
    assert set(packages_distributions().get(package, ["parknews"])) == {"parknews"}


def test_the_wheel_holds_every_data_file(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    kept = {".py", ".toml", ".txt", ".html", ".css", ".mako", ".tsv", ".xml", ".js", ".j2", ".json", ".cfg"}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in kept and "__pycache__" not in path.parts
    }
    assert wanted - names == set()
    assert not [name for name in names if name.startswith("tests/")]


def test_lock_files_carry_hashes_and_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_every_direct_dependency_has_its_line_in_the_decision() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    told = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8").lower()
    table = "\n".join(line for line in told.splitlines() if line.startswith("| "))

    def missing(requirements: list[str], text: str) -> list[str]:
        names = (re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements)
        return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]

    assert (
        missing([*project["project"]["dependencies"], *(one for some in extras for one in some)], table) == []
    )
    assert missing([one for some in groups for one in some], told) == []


def test_nothing_that_is_installed_with_it_is_under_the_gpl() -> None:
    """The LGPL of PostgreSQL's driver is that of a library that is linked (decision 0002)."""
    lock = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE):
        try:
            told = metadata(name)
        except PackageNotFoundError:  # for another interpreter
            continue
        words = [
            word[:200]
            for key in ("License-Expression", "License", "Classifier")
            for word in told.get_all(key) or []
        ]
        found[name] = " ".join(words)
    assert len(found) > 30
    gpl = {name for name, words in found.items() if re.search(r"\bA?GPL|(?<!Lesser )General Public", words)}
    assert gpl == set()
    assert {name for name, words in found.items() if "LGPL" in words} == {"psycopg", "psycopg-binary"}
