"""Read a TOML file into a msgspec struct; every error names file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*=")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


class TomlError(ValueError):
    """A configuration file that cannot be used: `FILE:LINE: what is wrong`."""

    def __init__(self, path: Path | str, line: int, message: str) -> None:
        self.path, self.line = str(path), line
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")


def read_toml(path: Path, kind: type[T]) -> T:
    """Return the file's content as `kind`. Raises TomlError for a missing, unreadable, malformed or mistyped file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TomlError(path, 0, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TomlError(path, 0, f"is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    return parse_toml(text, kind, path)


def parse_toml(text: str, kind: type[T], path: Path | str) -> T:
    """Like `read_toml` for text that is already there; `path` is only named in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise TomlError(path, int(found[1]) if found else len(text.splitlines()), str(error)) from error
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        raise TomlError(path, line_of(text, where.rstrip("`") or "$", message), _plain(message)) from error


def line_of(text: str, where: str, message: str = "") -> int:
    """Return the line (from 1) of msgspec's path `where`, e.g. `$.source[3].kind`; the table's own when the key is missing."""
    steps = [name or int(index) for name, index in _STEP.findall(where)]
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown:
        steps.append(unknown[1])
    table, line = _find_table(text.splitlines(), steps)
    return line if table is None else table


def _find_table(lines: list[str], steps: list[str | int]) -> tuple[int | None, int]:
    """Walk headers and keys; return (line of the key or None, line of the deepest table that matches)."""
    counts: dict[str, int] = {}
    prefix: list[str | int] = []
    best, best_depth = 1, -1
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            prefix = _header_path(header[1] == "[[", header[2], counts)
            if steps[: len(prefix)] == prefix and len(prefix) > best_depth:
                best, best_depth = number, len(prefix)
        elif (key := _KEY.match(line)) and steps[: len(prefix) + 1] == [*prefix, key[1].strip('"')]:
            return number, best
    return None, best


def _header_path(is_array: bool, name: str, counts: dict[str, int]) -> list[str | int]:
    path: list[str | int] = []
    for depth, part in enumerate(name.split("."), 1):
        path.append(part.strip().strip('"'))
        full = ".".join(name.split(".")[:depth])
        if is_array and depth == len(name.split(".")):
            counts[full] = counts.get(full, -1) + 1
            path.append(counts[full])
        elif full in counts:
            path.append(counts[full])
    return path


def _plain(message: str) -> str:
    """Return msgspec's message in the words of TOML."""
    for python, toml in (
        ("Object", "table"),
        ("object", "table"),
        ("`str`", "text"),
        ("`int`", "a whole number"),
        ("`bool`", "true or false"),
        ("`array`", "a list"),
    ):
        message = message.replace(python, toml)
    return message
