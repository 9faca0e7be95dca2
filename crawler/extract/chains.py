"""Columns of a newspaper page linked to the flow of one article each: the links with the largest sum of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.extract.layout import End, Layout, Start
from crawler.extract.links import link_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.extract.columns import Block

#: Links that score less are not made; without a sentence running on more must speak for them.
_THRESHOLD, _THRESHOLD_UNSURE = 1.0, 2.0


def chains_of(layout: Layout) -> list[list[Block]]:
    """Return the blocks of a page as flows in reading order; every block is in exactly one."""
    texts = layout.texts
    scores = {
        (i, j): score
        for i, a in enumerate(texts)
        for j, b in enumerate(texts)
        if i != j and (score := link_score(a, b, layout)) > _least(a, b, layout)
    }
    following = _improve(_greedy(scores), scores)
    return _walk(texts, following)


def _least(a: Block, b: Block, layout: Layout) -> float:
    runs_on = layout.ends[id(a)] is End.OPEN and layout.starts[id(b)] is Start.FLOWING
    return _THRESHOLD if runs_on else _THRESHOLD_UNSURE


def _greedy(scores: dict[tuple[int, int], float]) -> dict[int, int]:
    following: dict[int, int] = {}
    taken: set[int] = set()
    for i, j in sorted(scores, key=lambda k: (-scores[k], k)):
        if i not in following and j not in taken and not _reaches(following, j, i):
            following[i] = j
            taken.add(j)
    return following


def _reaches(following: dict[int, int], start: int, goal: int) -> bool:
    while start in following:
        if start == goal:
            return True
        start = following[start]
    return start == goal


def _improve(following: dict[int, int], scores: dict[tuple[int, int], float]) -> dict[int, int]:
    """Swap ends of two links while that raises the sum; greedy choice misses such pairs."""
    for _ in range(8):
        changed = False
        for i, j in list(following.items()):
            for k, m in list(following.items()):
                if i == k or following.get(i) != j or following.get(k) != m:
                    continue
                gain = scores.get((i, m), 0.0) + scores.get((k, j), 0.0) - scores[i, j] - scores[k, m]
                if gain > 0.01 and _swap(following, (i, j), (k, m), scores):
                    changed = True
        changed |= _insert_free(following, scores)
        if not changed:
            break
    return following


def _swap(
    following: dict[int, int],
    first: tuple[int, int],
    second: tuple[int, int],
    scores: dict[tuple[int, int], float],
) -> bool:
    (i, j), (k, m) = first, second
    trial = {a: b for a, b in following.items() if a not in (i, k)}
    for a, b in ((i, m), (k, j)):
        if (a, b) in scores:
            if _reaches(trial, b, a):
                return False
            trial[a] = b
    following.clear()
    following.update(trial)
    return True


def _insert_free(following: dict[int, int], scores: dict[tuple[int, int], float]) -> bool:
    """Put blocks without predecessor between two linked ones, or link loose ends, where that raises the sum."""
    changed, taken = False, set(following.values())
    for (i, j), score in sorted(scores.items(), key=lambda item: -item[1]):
        if following.get(i) == j or j in taken:
            continue
        old = following.get(i)
        if old is None:
            if not _reaches(following, j, i):
                following[i] = j
                taken.add(j)
                changed = True
            continue
        tail = j
        while tail in following:
            tail = following[tail]
        if tail == i or _reaches(following, j, i):
            continue
        if score + scores.get((tail, old), -9.0) - scores[i, old] > 0.01:
            following[i], following[tail] = j, old
            taken.add(j)
            changed = True
    return changed


def _walk(texts: Sequence[Block], following: dict[int, int]) -> list[list[Block]]:
    firsts = [i for i in range(len(texts)) if i not in set(following.values())]
    chains = []
    for first in firsts:
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append([texts[i] for i in chain])
    return chains
