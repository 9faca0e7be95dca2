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


@lru_cache(maxsize=1)
def _table() -> list[int | str | None]:
    """One entry per BMP character: what it becomes (None: dropped). 512 KiB, built once in about 20 ms."""
    kept = [character for character in map(chr, range(_BMP)) if _is_kept(character)]
    simplified = _simplified(kept)
    # All at once: line feeds keep each sign to itself.
    folded = unicodedata.normalize("NFKC", "\n".join(simplified.get(sign, sign) for sign in kept)).lower()
    table: list[int | str | None] = [None] * _BMP
    for character, becomes in zip(kept, folded.split("\n"), strict=True):
        signs = becomes if becomes.isalnum() else "".join(filter(_is_sign, becomes))
        table[ord(character)] = ord(signs) if len(signs) == 1 else signs or None
    return table


def _is_kept(character: str) -> bool:
    return _is_sign(character) or "\uff00" <= character <= "\uffef" or "㈠" <= character <= "㏿"


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


def _simplified(characters: list[str]) -> dict[str, str]:
    """Single characters only: phrase rules of the converter must not make the folding depend on neighbours."""
    chinese = [c for c in characters if "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff"]
    converted = to_simplified("\n".join(chinese)).split("\n")
    return dict(zip(chinese, converted, strict=True))


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
    """Return every Chinese character of the BMP with its simplified form, looked up alone."""
    return _simplified([chr(code) for code in range(_BMP)])
