"""The shape of the code: sizes, names and imports that the linters do not see."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("crawler", "scheduler", "store", "digest")
#: Modules and folders of these names say nothing, or collide with the standard library, Scrapy or one of our packages.
FORBIDDEN = {
    "utils",
    "helpers",
    "common",
    "misc",
    "core",
    "manager",
    "handler",
    "processor",
    "service",
    "email",
    "html",
    "queue",
    "calendar",
    "logging",
    "types",
    "select",
    "signal",
    "code",
    "platform",
}
#: Every library has a class of these names, or it would hide one of our packages: say whose item, page, entry it is.
FORBIDDEN_CLASSES = {
    "Item",
    "Page",
    "Entry",
    "Document",
    "News",
    "Post",
    "Store",
    "Digest",
    "Crawler",
    "Scheduler",
}
MAX_FILE, MAX_BODY = 500, 60


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)


def bodies() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                yield path, node, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_file_is_longer_than_500_lines() -> None:
    assert [
        str(path) for path in modules() if len(path.read_text(encoding="utf-8").splitlines()) > MAX_FILE
    ] == []


def test_functions_are_short() -> None:
    lengths = [length for _, _, length in bodies()]
    assert [f"{path}:{node.lineno} {node.name}" for path, node, length in bodies() if length > MAX_BODY] == []
    assert statistics.median(lengths) <= 8
    assert statistics.quantiles(lengths, n=20)[-1] <= 35


def test_every_package_file_is_empty() -> None:
    filled = [
        str(path)
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
        if path.read_text(encoding="utf-8").strip()
    ]
    assert filled == []


def test_tests_are_no_packages() -> None:
    """tests/crawler/__init__.py would make pytest import tests/crawler as `crawler`."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_and_no_folder_has_a_name_that_says_nothing() -> None:
    """The folders of the four packages themselves are named by the project's layout."""
    names = {
        path: {path.stem, *path.relative_to(ROOT).parts[1:-1]}
        for path in [*modules(), *(ROOT / "tests").rglob("*.py")]
        if not {"__init__", "conftest"} & {path.stem}
    }
    assert [str(path) for path, found in names.items() if found & FORBIDDEN] == []
    assert not (ROOT / "scheduler" / "scheduler.py").exists()


def test_no_class_bears_a_name_that_every_library_has() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.lstrip("_") in FORBIDDEN_CLASSES
    ]
    assert found == []


def test_the_package_crawler_is_never_imported_as_a_whole() -> None:
    """Scrapy hands an argument called `crawler` to everything; the package of that name must not shadow it."""
    lines = [
        f"{path}: {line}"
        for path in modules()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*import (crawler|store|digest|scheduler)\b(?! as)", line)
    ]
    assert lines == []


def test_catch_alls_are_few() -> None:
    handlers = [
        node
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
    ]
    broad = [
        node
        for node in handlers
        if node.type is None
        or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
    ]
    assert len(broad) / len(handlers) < 0.05


def test_no_time_is_taken_without_being_asked_for() -> None:
    """`now` is an argument: only the edges (commands, the crawl's and the daemon's clock) look at the clock."""
    edges = {
        "scheduler/commands",
        "scheduler/demo",
        "crawler/context.py",
        "scheduler/daemon.py",
        "digest/web",
    }
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in modules()
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"datetime\.(now|utcnow|today)\(|date\.today\(", line)
        and not str(path.relative_to(ROOT)).startswith(tuple(edges))
    ]
    assert found == []
