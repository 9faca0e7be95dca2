"""Passages that two texts share, as places in the texts as they are written: for showing why they were joined."""

from __future__ import annotations

from store.dedup.canonical import MAX_TEXT, fold_sign

#: Folded signs that must agree in a row before a passage counts as shared.
RUN = 8
#: Passages closer together than this many written characters are shown as one.
JOIN = 3

Span = tuple[int, int]


def shared_spans(a: str, b: str, *, plain: bool = False) -> tuple[list[Span], list[Span]]:
    """Return the spans of `a` found in `b` and the spans of `b` found in `a`, in order, as (start, end) in characters.

    Compared in folded form; `plain` leaves digits out, as between a masked text and its original. Linear.
    """
    left, right = _folded_with_places(a, plain=plain), _folded_with_places(b, plain=plain)
    return _spans(*left, right[0]), _spans(*right, left[0])


def _folded_with_places(text: str, *, plain: bool) -> tuple[str, list[int]]:
    signs: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text[:MAX_TEXT]):
        for sign in fold_sign(character):
            if not (plain and sign.isdigit()):
                signs.append(sign)
                places.append(place)
    return "".join(signs), places


def _spans(text: str, places: list[int], other: str) -> list[Span]:
    runs = {other[start : start + RUN] for start in range(len(other) - RUN + 1)}
    spans: list[Span] = []
    for start in range(len(text) - RUN + 1):
        if text[start : start + RUN] in runs:
            begin, end = places[start], places[start + RUN - 1] + 1
            if spans and begin <= spans[-1][1] + JOIN:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((begin, end))
    return spans
