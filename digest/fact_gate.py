"""May a sentence that a machine wrote go out? Only if all it is made of stands in the article. Pure functions.

The gate would rather refuse a good sentence than let a wrong one pass: then the extractive summary is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from digest.summarize import named
from digest.typography import repair, sentences

#: A stretch this long that stands in the article is taken over, not made up; two characters can be put together to anything.
_LEAST = 3
_NUMBER = re.compile(
    r"(?:[0-9]+(?:[.,][0-9]+)*|[〇零一二三四五六七八九十百千万亿两]{2,})(?:余|多)?[万亿]?[%\u4e00-\u9fff]{0,2}"
)
_ZONE = re.compile(
    "[\u4e00-\u9fff]{0,3}(?:高新区|高新技术产业开发区|经开区|开发区|示范区|工业园区|新区|园区)"
)
_QUOTED = re.compile("[“《]([^”》]+)[”》]")
#: Words that join what was taken over and say nothing themselves.
_JOINTS = frozenset(
    "的了在和与及等将并为对把被其以由从向到是有也已还都均而且则所于中共并且通过进行开展推进推动举行召开实施建立组织其中以及同时近日"
)
_PIECE = re.compile("[0-9A-Za-z.%\u4e00-\u9fff]+")


def refusal(summary: str, title: str, text: str, zones: Sequence[str], limit: int = 120) -> str:
    """Return why `summary` may not go out, or "" when it may.

    Refused are: longer texts than `limit`, sentences without an end, a number (with the word it counts), zone, quoted
    name or stretch of words that does not stand in title or text; `zones` are the acting ones, whose names may stand
    for 该区. Linear in the article for a summary within the limit.
    """
    if not summary or len(summary) > limit:
        return f"{len(summary)} characters; 1 to {limit} may go out"
    if summary[-1] not in "。！？":
        return "the last sentence has no end"
    source = _source(title, text, zones)
    for what, found in (("number", _NUMBER), ("zone", _ZONE), ("quoted name", _QUOTED)):
        for match in found.finditer(summary):
            words = match[match.lastindex or 0]
            if words not in source and not (what == "zone" and _is_zone(words, zones)):
                return f"{what} {words!r} does not stand in the article"
    stray = next(_strays(summary, source), "")
    return f"{stray!r} does not stand in the article" if stray else ""


def _source(title: str, text: str, zones: Sequence[str]) -> str:
    """The article as it stands and as it reads with 该区 resolved."""
    plain = [repair(sentence) for sentence in (title, *sentences(text))]
    resolved = [named(sentence, zones) for sentence in plain]
    return "\n".join((*plain, *resolved, *zones))


def _is_zone(words: str, zones: Sequence[str]) -> bool:
    """A zone's name with up to two words before it: 在合肥高新区."""
    return any(words.endswith(zone) or zone.endswith(words) for zone in zones)


def _strays(summary: str, source: str) -> Iterator[str]:
    for piece in _PIECE.findall(summary):
        place = 0
        while place < len(piece):
            end = place
            while end < len(piece) and piece[place : end + 1] in source:
                end += 1
            taken = piece[place:end] or piece[place]
            whole = taken == piece
            if len(taken) < _LEAST and not (whole and len(taken) > 1) and not set(taken) <= _JOINTS:
                yield taken
            place += len(taken)
