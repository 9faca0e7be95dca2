"""The themes an article can have, with the words that show them; an office may edit the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.vocabulary.loading import VocabularyFile, read_toml

if TYPE_CHECKING:
    from pathlib import Path

#: Joins the two parts of a term whose middle may vary: 慰问…党员. The parts lie in one sentence, close together.
GAP = "…"

_CLASSES = ("strong", "terms", "weak")
_KEYS = frozenset({"key", "zh", "en", "not", *_CLASSES})


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme. A single `strong` word in the text shows it, `terms` add up, `weak` ones only support.

    A word of `excluded` at the same place cancels the shorter word inside it (国企改革 does not speak of 国企党建).
    """

    key: str
    zh: str
    en: str
    terms: tuple[str, ...]
    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def load_themes(directory: Path | None = None) -> list[Theme]:
    """Return the themes of `directory/themes.toml`, or of the product's own file when there is none.

    Raises VocabularyError (`FILE:LINE: message`) for broken TOML, unknown or repeated keys, a word that stands in two
    classes of one theme, and a broken pattern.
    """
    document = read_toml("themes.toml", directory)
    themes: list[Theme] = []
    for line, table in document.tables("theme"):
        document.known_keys(table, _KEYS, line)
        key = document.string(table, "key", line)
        if any(theme.key == key for theme in themes):
            raise document.error(f"theme {key!r} stands twice", document.line_of(f'"{key}"', line))
        words = {name: document.strings(table, name, line) for name in (*_CLASSES, "not")}
        _check_words(document, words, line)
        zh, en = document.string(table, "zh", line), document.string(table, "en", line)
        themes.append(Theme(key, zh, en, words["terms"], words["strong"], words["weak"], words["not"]))
    return themes


def _check_words(document: VocabularyFile, words: dict[str, tuple[str, ...]], line: int) -> None:
    seen: dict[str, str] = {}
    for name, values in words.items():
        for value in values:
            where = document.line_of(f'"{value}"', document.line_of(f"{name} =", line))
            if value in seen:
                raise document.error(f"{value!r} stands in {seen[value]} and in {name}", where)
            seen[value] = name
            check_pattern(document, value, where)


def check_pattern(document: VocabularyFile, value: str, line: int) -> None:
    """Raise VocabularyError unless `value` is a word of two characters, or two parts around one `GAP`, one of them a word."""
    parts = value.split(GAP)
    if len(parts) > 2:
        raise document.error(f"{value!r} has more than one {GAP}", line)
    if not all(part.strip() for part in parts) or max(len(part.strip()) for part in parts) < 2:
        raise document.error(f"{value!r} is too short to be looked for", line)
