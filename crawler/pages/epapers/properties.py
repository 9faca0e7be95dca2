"""What the systems write about an article in a comment of its page (enpproperty)."""

from __future__ import annotations

import re
from html import unescape

from store.text import clean_line

_OPEN = re.compile(r"<!--\s{0,5}enpproperty", re.IGNORECASE)
_CLOSE = re.compile(r"/enpproperty\s{0,5}-->", re.IGNORECASE)
_FIELD = re.compile(r"<(?:founder-)?([A-Za-z]{2,20})>")
_TAG = re.compile(r"<[^<>]{0,200}>")
_MAX = 20_000


def properties(text: str) -> dict[str, str]:
    """Return the fields by their lower-case names without the prefix founder-; empty ones are left out."""
    opened = _OPEN.search(text)
    if opened is None:
        return {}
    closed = _CLOSE.search(text, opened.end())
    block = text[opened.end() : closed.start() if closed else opened.end() + _MAX][:_MAX]
    fields: dict[str, str] = {}
    for match in _FIELD.finditer(block):
        name = match[1]
        end = re.compile(rf"</(?:founder-)?{name}>", re.IGNORECASE).search(block, match.end())
        if end is None:
            continue
        value = clean_line(unescape(_TAG.sub(" ", block[match.end() : end.start()])))
        if value:
            fields.setdefault(name.lower(), value)
    return fields
