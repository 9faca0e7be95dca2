"""One article into the store without a crawl, a verdict or a story: for tests of what is kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from store.articles import Incoming, Outcome, add_new, articles_by_key, new_row, prepare, revise
from store.models import Article


def add_article(session: Session, incoming: Incoming, now: datetime) -> tuple[Article, Outcome]:
    """Add the article, or find it again by its address: "seen" with the same text, "revised" when the text changed."""
    prepared = prepare(incoming, now)
    if article := articles_by_key(session, [prepared.key]).get(prepared.key):
        return article, "revised" if revise(session, article, prepared, now) else "seen"
    return add_new(session, [new_row(prepared, now)])[0], "new"
