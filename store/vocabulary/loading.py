"""Read the vocabulary's TOML files; every complaint names the file and the line."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from store import toml_file
from store.toml_file import TomlError, parse

if TYPE_CHECKING:
    from pathlib import Path


class VocabularyError(Exception):
    """A vocabulary file is wrong; the text reads `FILE:LINE: message`."""


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """One parsed TOML file that remembers its lines."""

    name: str
    lines: tuple[str, ...]
    data: dict[str, Any]

    def error(self, message: str, line: int = 1) -> VocabularyError:
        return VocabularyError(f"{self.name}:{line}: {message}")

    def tables(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        """Return the tables of the array `[[key]]` with the line each starts on; none is an error."""
        found = self.data.get(key)
        if not isinstance(found, list) or not found:
            raise self.error(f"no [[{key}]] in the file")
        starts = [number for number, line in enumerate(self.lines, 1) if line.strip() == f"[[{key}]]"]
        starts += [1] * (len(found) - len(starts))
        return list(zip(starts, found, strict=False))

    def line_of(self, needle: str, start: int = 1) -> int:
        """Return the first line at or after `start` that holds `needle`, else `start`."""
        for number in range(start, len(self.lines) + 1):
            if needle in self.lines[number - 1]:
                return number
        return start

    def strings(self, table: dict[str, Any], key: str, start: int) -> tuple[str, ...]:
        """Return the list of words under `key`, empty when absent; anything but unique, non-empty text is an error."""
        values = table.get(key, [])
        if not isinstance(values, list):
            raise self.error(f"{key} must be a list of words", self.line_of(key, start))
        for value in values:
            if not isinstance(value, str) or not value.strip():
                raise self.error(
                    f"{key} holds something that is no word: {value!r}", self.line_of(key, start)
                )
        if len(set(values)) != len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise self.error(f"{twice!r} stands twice in {key}", self.line_of(f'"{twice}"', start))
        return tuple(values)

    def string(self, table: dict[str, Any], key: str, start: int, *, needed: bool = True) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or (needed and not value.strip()):
            raise self.error(f"{key} must be text", self.line_of(key, start))
        return value

    def known_keys(self, table: dict[str, Any], allowed: frozenset[str], start: int) -> None:
        for key in table:
            if key not in allowed:
                message = f"unknown key {key!r}; allowed are {', '.join(sorted(allowed))}"
                raise self.error(message, self.line_of(key, start))


def read_toml(filename: str, directory: Path | None = None) -> VocabularyFile:
    """Return `filename` from `directory` if it is there, else the one that comes with the product.

    Raises VocabularyError for anything that is no readable TOML.
    """
    text, name = read_text(filename, directory)
    try:
        return VocabularyFile(name, tuple(text.split("\n")), parse(text, name))
    except TomlError as error:
        raise VocabularyError(str(error)) from None


def read_text(filename: str, directory: Path | None = None) -> tuple[str, str]:
    """Return the text of a vocabulary file and the name to complain about it under. Raises VocabularyError."""
    own = directory / filename if directory is not None and (directory / filename).is_file() else None
    try:
        text = toml_file.read_text(own or resources.files("store.vocabulary") / filename)
    except TomlError as error:
        raise VocabularyError(str(error)) from None
    return text, str(own or filename)
