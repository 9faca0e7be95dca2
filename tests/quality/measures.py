"""How answers are compared with gold: the same definitions for our own pages and for any folder of real ones."""

from __future__ import annotations

import difflib
import re
import resource
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_QUOTES = str.maketrans(dict.fromkeys('『』「」"”', "“"))
_TIME = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})日?(?:\D{0,3}?(\d{1,2})[:：时](\d{2}))?")
GRAM = 4


def plain(text: str | None) -> str:
    """Return the text in NFKC without white space and invisible characters."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text or ""))


def grams(text: str | None, size: int = GRAM) -> Counter[str]:
    """Return the multiset of character 4-grams of the plain text; a shorter text is one gram."""
    letters = plain(text)
    if len(letters) < size:
        return Counter([letters] if letters else [])
    return Counter(letters[start : start + size] for start in range(len(letters) - size + 1))


def overlap(gold: Counter[str], found: Counter[str]) -> tuple[float, float, float]:
    """Return precision, recall and F1 of two multisets."""
    hits = sum((gold & found).values())
    precision = hits / found.total() if found else 0.0
    recall = hits / gold.total() if gold else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0


def harmonic(hits: int, false_alarms: int, misses: int) -> tuple[float, float, float]:
    """Return precision, recall and F1 of counted decisions."""
    precision, recall = hits / max(1, hits + false_alarms), hits / max(1, hits + misses)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def contained(part: str, whole: str) -> float:
    """Return which share of a text's 4-grams stands in another text."""
    inner, outer = grams(part), grams(whole)
    return sum((inner & outer).values()) / max(1, inner.total())


def similar(left: str | None, right: str | None) -> float:
    """Return the likeness (0-1) of two headlines; kinds of quotation marks and middle dots do not count."""
    first, second = (plain(side).replace("·", "").translate(_QUOTES) for side in (left, right))
    return difflib.SequenceMatcher(None, first, second).ratio() if first and second else 0.0


def moment(value: object) -> tuple[str | None, str | None]:
    """Return day "2019-10-05" and minute "08:17" of any usual way to write them, None for what is not there."""
    found = _TIME.search(str(value or ""))
    if not found:
        return None, None
    year, month, day = (int(part) for part in found.groups()[:3])
    minute = f"{int(found[4]):02d}:{found[5]}" if found[4] else None
    return f"{year:04d}-{month:02d}-{day:02d}", minute


def address(url: str) -> tuple[str, str, str]:
    """Return what makes two links the same: host, path, query; the scheme and the fragment do not count."""
    parts = urlsplit(url.strip())
    return (parts.hostname or "").lower(), re.sub("/+", "/", unquote(parts.path)) or "/", parts.query


def mean(values: Iterable[float]) -> float:
    """Return the mean, nan of nothing."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else float("nan")


def peak_mb() -> float:
    """Return the most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass
class Table:
    """Lines of figures, each with the value that is required of it."""

    title: str
    lines: list[tuple[str, str, str, str]] = field(default_factory=list)

    def share(
        self, name: str, values: Sequence[float], required: float | None = None, *, most: bool = False
    ) -> None:
        """Add a share in per cent of the cases that are given; nothing when there are none."""
        if values:
            self.add(f"{name} (of {len(values)})", 100 * mean(values), required, most=most, unit="%")

    def add(
        self, name: str, value: float, required: float | None = None, *, most: bool = False, unit: str = ""
    ) -> None:
        """Add a figure; `required` is the least that will do, or the most when `most`."""
        wanted, verdict = "", ""
        if required is not None:
            good = value <= required + 1e-9 if most else value >= required - 1e-9
            wanted, verdict = f"{'<=' if most else '>='} {_show(required, unit)}", "ok" if good else "BELOW"
        self.lines.append((name, _show(value, unit), wanted, verdict))

    def text(self, name: str, value: str, verdict: str = "") -> None:
        """Add a line that is no figure."""
        self.lines.append((name, value, "", verdict))

    def __str__(self) -> str:
        head = ("", "measured", "required", "") if any(line[2] for line in self.lines) else ("", "", "", "")
        widths = [max(_width(line[column]) for line in [head, *self.lines]) for column in range(4)]
        rows = [f"\n== {self.title}"]
        for line in [head, *self.lines] if head[1] else self.lines:
            cells = [
                _pad(line[0], widths[0]),
                *(_pad(cell, width, left=False) for cell, width in zip(line[1:3], widths[1:3], strict=True)),
            ]
            rows.append("  ".join([*cells, line[3]]).rstrip())
        return "\n".join(rows)


def _show(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.1f} %"
    if unit:
        return f"{value:.1f} {unit}"
    return f"{value:.4f}" if isinstance(value, float) and value < 2 else f"{value:,.0f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, width: int, *, left: bool = True) -> str:
    blanks = " " * (width - _width(text))
    return text + blanks if left else blanks + text
