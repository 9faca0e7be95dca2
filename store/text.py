"""Text as the product keeps and compares it; pure functions shared by extraction, classification and matching."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: C0/C1 controls (but tab and line feed), zero-width and direction marks, soft hyphen, BOM, lone surrogates,
#: non-characters. They break mail headers, XML and search, and carry no meaning in Chinese news.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
#: A search for single characters costs a tenth of the one above, and few texts have any.
_HAS_LINE_BREAKS = re.compile("[\r\u2028\u2029\x0b\x0c\x85]")


def clean_text(text: str) -> str:
    """Return `text` as NFC with line feeds only and without control, invisible or unpaired characters."""
    if text.isascii() and text.isprintable():
        return text
    if _HAS_LINE_BREAKS.search(text):
        text = _LINE_BREAKS.sub("\n", text)
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: runs of white space become one space, ends are stripped."""
    return " ".join(clean_text(text).split())


#: What NFKC makes of the commonest wide signs; without them it has nothing to do in most texts and takes a twentieth.
_WIDE = (
    ("，", ","),
    ("：", ":"),
    ("；", ";"),
    ("（", "("),
    ("）", ")"),
    ("！", "!"),
    ("？", "?"),
    ("…", "..."),
    ("\u3000", " "),
)


def nfkc(text: str) -> str:
    """Return `text` as NFKC."""
    for wide, narrow in _WIDE:
        text = text.replace(wide, narrow)
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=1)
def _converter() -> object:
    import opencc

    return opencc.OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Return `text` with traditional characters replaced by simplified ones (OpenCC's t2s; same length is not promised)."""
    return str(_converter().convert(text))  # type: ignore[attr-defined]
