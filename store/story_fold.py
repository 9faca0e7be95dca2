"""Placing all articles that have no story, in the order that follows from the articles alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, load_only

from store import story_records as records
from store.database import session_scope
from store.models import Article
from store.story_assign import choose_story
from store.story_index import expect
from store.story_order import waiting

#: Articles placed in one transaction.
BATCH = 200
_NEEDED = load_only(
    Article.title, Article.text, Article.url, Article.publisher, Article.published_at, Article.first_seen_at,
    Article.flags, Article.relevant, Article.score, Article.story_id, Article.relation, Article.relation_of,
    Article.relation_score,
)  # fmt: skip


@dataclass(slots=True, frozen=True)
class Facts:
    """What is known of some articles beside their texts: former stories, zones, which of them persons decided about."""

    homes: Mapping[int, int] = field(default_factory=dict)
    zones: Mapping[int, Sequence[str]] = field(default_factory=dict)
    decided: frozenset[int] = frozenset()


def _no_facts(_session: Session, _ids: Sequence[int]) -> Facts:
    return Facts()


def fold(engine: Engine, facts: Callable[[Session, Sequence[int]], Facts] = _no_facts) -> int:
    """Place every article without a story; return how many. Nobody else may be writing stories meanwhile.

    An article whose former story is empty so far takes its number along when it begins one.
    """
    with session_scope(engine) as session:
        order = waiting(session)
    for start in range(0, len(order), BATCH):
        with session_scope(engine) as session:
            _place_batch(session, order[start : start + BATCH], facts)
    return len(order)


def _place_batch(session: Session, ids: list[int], facts: Callable[[Session, Sequence[int]], Facts]) -> None:
    found = session.scalars(select(Article).where(Article.id.in_(ids)).options(_NEEDED))
    articles, known = {article.id: article for article in found}, facts(session, ids)
    expect(session, articles.values())
    for article_id in ids:
        home = known.homes.get(article_id)
        if home is not None and records.article_count(session, home):
            home = None
        choose_story(
            session, articles[article_id], zones=known.zones.get(article_id, ()),
            overridden=article_id in known.decided, home=home,
        )  # fmt: skip
        session.expunge(articles[article_id])
