"""What a copy is to its original, which of two copies is the original, and who published first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from store.dedup.same_story import Text, Verdict

#: An excerpt holds less than this share of its original.
WHOLE = 0.75
#: An original explains this much of its excerpts.
HELD = 0.80
_PUBLISHER = re.compile(
    r"(?:来源|稿源)\s*[:：]\s*([^\s|丨·:：/<>()（）]{2,24}?)(?=\s|\d{4}|[|丨·/<>(（)）]|作者|编辑|责编|发布(?:时间|日期|于)|$)"
)


@dataclass(slots=True, frozen=True)
class Copy:
    """What is known of one article of a story when its original is looked for."""

    text: Text
    published: datetime
    page: bool = False


def outranks(new: Copy, old: Copy, verdict: Verdict) -> bool:
    """Tell whether `new` is rather the original than `old`; `of_a` of the verdict is new's share.

    In order: not a page of several stories, not masked, not an excerpt of the other, free of furniture, earlier, without
    marks of handling (most dates are days only), longer. Ties are broken by the text, so that the order of arrival plays
    no part.
    """
    for mine, theirs in (
        (new.page, old.page),
        (bool(new.text.masks), bool(old.text.masks)),
        (
            is_excerpt(verdict.of_b, verdict.of_a) and not old.text.furnished,
            is_excerpt(verdict.of_a, verdict.of_b) and not new.text.furnished,
        ),
    ):
        if mine != theirs:
            return theirs
    rank_new, rank_old = (new.text.furnished, new.published), (old.text.furnished, old.published)
    if rank_new != rank_old:
        return rank_new < rank_old
    return (new.text.worn, -len(new.text.body), new.text.body) < (
        old.text.worn, -len(old.text.body), old.text.body
    )  # fmt: skip


def is_excerpt(of_longer: float, of_excerpt: float) -> bool:
    """Tell whether a text is an excerpt: most of it stands in the other, of which it is only a part."""
    return of_longer < WHOLE and of_excerpt >= HELD


def relation(copy: Text, original: Text, verdict: Verdict, *, page: bool) -> str:
    """Return what `copy` is to `original`: reprint, excerpt, anonymised or contains."""
    if page:
        return "contains"
    if copy.masks > original.masks:
        return "anonymised"
    if max(verdict.of_a, verdict.of_b) < 0.5:
        return "excerpt"  # came by another leading text of the story
    return "excerpt" if verdict.of_b < WHOLE and len(copy.body) < len(original.body) * 0.85 else "reprint"


def named_publisher(text: str) -> str | None:
    """Return the publisher that a 来源 line near the beginning of a raw text names, None without one."""
    match = _PUBLISHER.search(text[:600])
    return match.group(1) if match else None
