"""Read a TOML file into a msgspec struct; every error names file, line and key, what is wrong and what is allowed."""

from __future__ import annotations

import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from store.toml_faults import fault_of, syntax_fault
from store.toml_lines import line_of

T = TypeVar("T")
#: A file of 10,000 sources has 4 MB; what is larger was not written for this.
MAX_BYTES = 8_000_000


class TomlError(ValueError):
    """A configuration file that cannot be used: `FILE:LINE: what is wrong`, in one line."""

    def __init__(self, path: Path | Traversable | str, line: int, message: str) -> None:
        self.path, self.line = str(path), line
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")


def read_text(path: Path | Traversable) -> str:
    """Return the file's text with line feeds only, without a byte order mark. Raises TomlError for one that cannot be read."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise TomlError(path, 0, "is a folder; name a file in it") from error
    except OSError as error:
        raise TomlError(path, 0, f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise TomlError(path, 0, f"is larger than {MAX_BYTES // 1_000_000} MB; this is some other file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise TomlError(path, line, "is not UTF-8 (perhaps GBK or UTF-16); save the file as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_toml(path: Path, kind: type[T]) -> T:
    """Return the file's content as the struct `kind`. Raises TomlError for a missing, unreadable, malformed or mistyped file."""
    return parse_toml(read_text(path), kind, path)


def parse(text: str, path: Path | str) -> dict[str, Any]:
    """Return the text's tables as they are. Raises TomlError for a text that is no TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise TomlError(path, 0, "lists are nested too deeply") from error
    except ValueError as error:  # malformed, or a number of thousands of digits
        raise TomlError(path, *syntax_fault(text, error)) from error


def parse_toml(text: str, kind: type[T], path: Path | str) -> T:
    """Like `read_toml` for text that is already there; `path` is only named in errors."""
    data = parse(text, path)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        steps, message, value = fault_of(error, data, kind)
        raise TomlError(path, line_of(text, steps, value), message) from error
