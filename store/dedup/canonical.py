"""The comparison form of a text: what is left when width, punctuation, script, masks and line breaks play no part."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from store.text import to_simplified

#: Texts longer than this many characters are compared by their beginning only (the longest real newspaper page has 24,000).
MAX_TEXT = 60_000
#: A line of asterisks divides, it does not mask.
_DIVIDER = re.compile(r"^[ \t\u3000]*\*[ \t\u3000]*\*[ \t\u3000]*\*[* \t\u3000]*$", re.MULTILINE)
_MASKED_NUMBER = re.compile(r"[0-9.,%·](?:[0-9.,%·]|\s(?=[0-9*]))*(?=\*)|(?<=\*)(?:[0-9.,·]|\s(?=[0-9*]))+")
_BMP = 0x10000
#: Characters looked up at once: each is an object while that lasts, and a process never gives back what it once took.
_AT_ONCE = 0x1000


@lru_cache(maxsize=1)
def _table() -> list[int | str | None]:
    """One entry per BMP character: what it becomes (None: dropped). 512 KiB, built once in about 20 ms."""
    table: list[int | str | None] = [None] * _BMP
    simplified = simplified_signs()
    for start in range(0, _BMP, _AT_ONCE):
        kept = [sign for sign in map(chr, range(start, start + _AT_ONCE)) if _is_kept(sign)]
        # Many at once: line feeds keep each sign to itself.
        folded = unicodedata.normalize("NFKC", "\n".join(simplified.get(sign, sign) for sign in kept)).lower()
        for character, becomes in zip(kept, folded.split("\n") if kept else (), strict=True):
            signs = becomes if becomes.isalnum() else "".join(filter(_is_sign, becomes))
            table[ord(character)] = ord(signs) if len(signs) == 1 else signs or None
    return table


def _is_kept(character: str) -> bool:
    return _is_sign(character) or "\uff00" <= character <= "\uffef" or "㈠" <= character <= "㏿"


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


@dataclass(slots=True, frozen=True)
class Folded:
    """A comparison form. `text` keeps Chinese characters, letters and digits only; `masks` counts masked places."""

    text: str
    masks: int


def fold(text: str) -> Folded:
    """Return the comparison form of `text` (any Unicode, any length; linear, longer than MAX_TEXT is cut)."""
    text = text[:MAX_TEXT]
    masks = 0
    if "*" in text or "＊" in text:
        text, masks = _drop_masks(text)
    return Folded(text.translate(_table()), masks)


def _drop_masks(text: str) -> tuple[str, int]:
    """Take out masks and the numbers they cover in part: "2*.*%" must not look like a figure that disagrees."""
    text = _DIVIDER.sub("", text.replace("＊", "*"))
    masks = len(re.findall(r"\*+", text))
    return _MASKED_NUMBER.sub("", text).replace("*", ""), masks


def fold_sign(character: str) -> str:
    """Return what one character becomes, empty when it is dropped."""
    return character.translate(_table())


@lru_cache(maxsize=1)
def simplified_signs() -> dict[str, str]:
    """Return the Chinese characters of the BMP whose simplified form is another, each with it, looked up alone.

    Phrase rules of the converter must not make the folding depend on neighbours.
    """
    found: dict[str, str] = {}
    for start in range(0, _BMP, _AT_ONCE):
        signs = [sign for sign in map(chr, range(start, start + _AT_ONCE)) if _is_chinese(sign)]
        if signs:
            converted = to_simplified("\n".join(signs)).split("\n")
            found |= {sign: simple for sign, simple in zip(signs, converted, strict=True) if sign != simple}
    return found


def _is_chinese(sign: str) -> bool:
    return "\u3400" <= sign <= "\u9fff" or "\uf900" <= sign <= "\ufaff"
