"""The order in which stories are worked out anew: it follows from the articles alone, never from when they came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.dedup.placement import is_page_title
from store.dedup.same_story import Text
from store.models import Article
from store.story_records import table_of

#: Articles read at a time: their texts must not all be in memory.
CHUNK = 500
_ARTICLE = table_of(Article)
_READ = (_ARTICLE.c.id, _ARTICLE.c.title, _ARTICLE.c.text, _ARTICLE.c.url, _ARTICLE.c.published_at)

Rank = tuple[str, bool, bool, bool, int, str, str]


def rank(form: Text, url: str, published: datetime | None) -> Rank:
    """Return the place of an article among others: day of publication (undated last), plain texts before pages, masked
    and furnished copies, parts before what may hold several of them, then the text itself.

    Measured on 7,847 documents of 35 kinds: recall .9992, no false merge; the longest first .9986 and .0003 of them,
    because a page of two articles then comes before either.
    """
    day = published.astimezone(UTC).strftime("%Y%m%d") if published else "9"
    return (
        day, is_page_title(form.title), bool(form.masks), form.furnished, len(form.body),
        form.body[:40] + form.body[-40:], url,
    )  # fmt: skip


def waiting(session: Session) -> list[int]:
    """Return the numbers of the articles without a story, in the order in which they are to be placed."""
    return [article_id for _, article_id in sorted(_ranked(session))]


def _ranked(session: Session) -> Iterator[tuple[Rank, int]]:
    last = 0
    while True:
        rows = session.execute(
            select(*_READ)
            .where(_ARTICLE.c.story_id.is_(None), _ARTICLE.c.id > last)
            .order_by(_ARTICLE.c.id)
            .limit(CHUNK)
        ).all()
        if not rows:
            return
        for row in rows:
            yield rank(Text(row.title, row.text), row.url, row.published_at), row.id
        last = rows[-1].id
