"""Where something stands in the text of a TOML file that was read: the library that reads it keeps no lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: A step into the file: the name of a key or table, or the number of an element from 0.
Step = str | int
_TOKEN = re.compile(
    r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}|\'\'\'(?:[^\']|\'(?!\'\'))*\'{3,5}'
    r'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]',
    re.DOTALL,
)
_NAME = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_DOTTED = rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*"
_HEADER = re.compile(rf"\s*(\[\[?){_DOTTED}\]")
_KEYS = re.compile(rf"{_DOTTED}=")


def line_of(text: str, steps: Sequence[Step], value: object = None) -> int:
    """Return the line (from 1) where `steps` stand, e.g. ["source", 3, "kind"]; the table's own when the key is missing.

    Of a list over several lines it is the first line that holds the text `value`. Expects text that is valid TOML.
    """
    wanted, counts = list(steps), dict[str, int]()
    prefix: list[Step] = []
    best, depth = (1, ""), 0
    for number, statement in _statements(text):
        if header := _HEADER.match(statement):
            prefix = path = _header_path(header[1] == "[[", _names(header[2]), counts)
        elif keys := _KEYS.match(statement):
            path = [*prefix, *_names(keys[1])]
        else:
            continue
        common = min(len(path), len(wanted))
        if common > depth and path[:common] == wanted[:common]:
            best, depth = (number, statement), common
    number, statement = best
    if steps and isinstance(steps[-1], int) and isinstance(value, str) and value in statement:
        number += statement[: statement.index(value)].count("\n")
    return number


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield headers and assignments with the line each begins on; texts and lists over several lines stay in one piece."""
    number, start, depth, lines = 1, 0, 0, 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        lines += sign.count("\n")
        depth += (sign in "[{") - (sign in "]}")
        if sign == "\n" and depth <= 0:
            yield number, text[start : token.start()]
            number, start, depth = lines + 1, token.end(), 0
    yield number, text[start:]


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]


def _header_path(is_array: bool, names: Sequence[str], counts: dict[str, int]) -> list[Step]:
    path: list[Step] = []
    for depth, name in enumerate(names, 1):
        path.append(name)
        full = ".".join(names[:depth])
        if is_array and depth == len(names):
            counts[full] = counts.get(full, -1) + 1
        if full in counts:
            path.append(counts[full])
    return path
