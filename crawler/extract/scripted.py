"""Articles whose text stands in a script of the page and not in its markup."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from crawler.extract.tree import Tree

_STRING = re.compile(
    r"[\"']?\b(?P<key>articleBody|content|contentText|contentHtml|body|html|articleContent|article_content|text|detail|newsContent|mainContent|Content|txt)[\"']?"
    r"\s{0,3}[:=]\s{0,3}(?P<quote>[\"'`])"
)
_MARKS = re.compile("[，。；：、]")
_MIN_TEXT = 120
_MAX_TEXT = 400_000
_MAX_STRINGS = 200


def scripted_markup(tree: Tree) -> str | None:
    """The longest string of the page's scripts and text areas that reads as an article's markup or text, or None."""
    best = max((t for t in tree.embedded if len(_MARKS.findall(t[:20_000])) >= 4), key=len, default="")
    for source in [*tree.json_ld, *tree.scripts]:
        for number, found in enumerate(_STRING.finditer(source)):
            if number >= _MAX_STRINGS:
                break
            text = _string(source, found.end(), found["quote"])
            if len(text) > len(best) and len(_MARKS.findall(text[:20_000])) >= 4:
                best = text
    return best if len(best) >= _MIN_TEXT else None


def _string(source: str, start: int, quote: str) -> str:
    """The string literal that starts at `start`, unescaped, entities resolved where it holds escaped markup."""
    end = start
    limit = min(len(source), start + _MAX_TEXT)
    while end < limit:
        stop = source.find(quote, end, limit)
        if stop < 0:
            return ""
        slashes = (
            len(source[start:stop]) - len(source[start:stop].rstrip("\\")) if source[stop - 1] == "\\" else 0
        )
        if slashes % 2 == 0:
            text = _unescape(source[start:stop])
            return html.unescape(text) if "&lt;" in text else text
        end = stop + 1
    return ""


def _unescape(raw: str) -> str:
    try:
        value: Any = json.loads(f'"{raw}"', strict=False)
    except ValueError:
        value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), raw)
        value = (
            value.replace("\\n", "\n")
            .replace("\\t", " ")
            .replace('\\"', '"')
            .replace("\\'", "'")
            .replace("\\/", "/")
        )
    return str(value)
