"""What has to hold before anything of ours is imported: Python, our own packages as they were installed, what they need."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    packages_distributions,
    requires,
    version,
)
from importlib.util import find_spec
from pathlib import Path

from scheduler.checks import Check

PACKAGES = ("crawler", "scheduler", "store", "digest")


def environment() -> list[Check]:
    """Return the checks. Runs no code of the packages it looks at: a foreign one may do anything when it is imported."""
    return [_python(), *_packages(), *_dependencies()]


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]} in {sys.prefix}", "python")


def _packages() -> Iterator[Check]:
    try:
        ours = distribution("parknews")
    except PackageNotFoundError:
        yield Check("packages", False, f"parknews is not installed in {sys.prefix}", "package_overwritten")
        return
    owners = packages_distributions()
    for name in PACKAGES:
        where = _place(name)
        shadow = _shadow(ours, name, where)
        fault = shadow or _foreign(owners.get(name, [])) or _damage(ours, name)
        fault = fault or ("" if where else "there is no such package")
        yield Check(
            f"package {name}",
            not fault,
            f"{where or ours.locate_file(name)}: {fault or f'parknews {ours.version}'}",
            "package_shadowed" if shadow else "package_overwritten",
        )


def _place(name: str) -> Path | None:
    """Return the folder Python takes the package from."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _files(ours: Distribution, name: str) -> dict[str, str]:
    """Return the checksums of the package's files by their paths; none of an editable installation."""
    return {
        str(file): file.hash.value
        for file in ours.files or ()
        if file.parts[0] == name and file.hash and file.hash.mode == "sha256"
    }


def _shadow(ours: Distribution, name: str, where: Path | None) -> str:
    installed = Path(str(ours.locate_file(name)))
    if where is None or not _files(ours, name) or where.resolve() == installed.resolve():
        return ""
    return f"Python finds this before {installed}"


def _foreign(owners: list[str]) -> str:
    others = sorted(set(owners) - {"parknews"})
    return f"distribution {', '.join(others)} put its files there" if others else ""


def _damage(ours: Distribution, name: str) -> str:
    changed = [file for file, checksum in _files(ours, name).items() if _checksum(ours, file) != checksum]
    return f"{len(changed)} files are not those of parknews: {', '.join(changed[:3])}" if changed else ""


def _checksum(ours: Distribution, file: str) -> str:
    try:
        octets = Path(str(ours.locate_file(file))).read_bytes()
    except OSError:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).decode().rstrip("=")


def _dependencies() -> Iterator[Check]:
    missing = []
    try:
        lines = requires("parknews") or []
    except PackageNotFoundError:  # told by the check of the packages
        return
    for line in lines:
        if "extra ==" in line:
            continue
        name = line.split(";")[0]
        for sign in "<>=!~[ ":
            name = name.split(sign)[0]
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    detail = f"missing: {', '.join(missing)}" if missing else "all installed"
    yield Check("dependencies", not missing, detail, "dependency")


def queue_fault(database_url: str) -> str:
    """Return why there can be no queue for workers; empty when there can."""
    if not database_url.startswith("postgresql"):
        return "[daemon] workers = true needs PostgreSQL, and [database] url names none"
    if find_spec("procrastinate") is None:
        return "[daemon] workers = true needs procrastinate, which is not installed"
    return ""
