"""How much is kept: the counts that summaries and the status page show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import Article, Quarantine, Story


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by what they are; `relations` counts articles by their relation to their story."""

    articles: int = 0
    relevant: int = 0
    borderline: int = 0
    stories: int = 0
    relevant_stories: int = 0
    quarantined: int = 0
    relations: dict[str, int] = field(default_factory=dict)

    @property
    def joined(self) -> int:
        """Articles that joined a story that was there already."""
        return sum(count for word, count in self.relations.items() if word != "original")


def count_all(session: Session) -> Counts:
    """Return the present counts. One index answers for all articles: their rows hold the texts."""
    kinds = (Article.relevant, Article.borderline, Article.relation)
    articles: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    for relevant, borderline, relation, number in session.execute(
        select(*kinds, func.count()).group_by(*kinds)
    ):
        articles.update(all=number, relevant=number * relevant, borderline=number * borderline)
        if relation is not None:
            relations[relation] += number

    def count(column: object, *conditions: object) -> int:
        return session.scalar(select(func.count()).select_from(column).where(*conditions)) or 0  # type: ignore[arg-type]

    return Counts(
        articles=articles["all"],
        relevant=articles["relevant"],
        borderline=articles["borderline"],
        stories=count(Story, Story.merged_into.is_(None)),
        relevant_stories=count(Story, Story.merged_into.is_(None), Story.relevant),
        quarantined=count(Quarantine, Quarantine.resolved_at.is_(None)),
        relations=dict(relations),
    )
