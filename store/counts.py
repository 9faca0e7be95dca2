"""How much is kept: the counts that summaries and the status page show."""

from __future__ import annotations

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
    """Return the present counts."""
    by_relation = session.execute(
        select(Article.relation, func.count()).where(Article.relation.is_not(None)).group_by(Article.relation)
    )

    def count(column: object, *conditions: object) -> int:
        return session.scalar(select(func.count()).select_from(column).where(*conditions)) or 0  # type: ignore[arg-type]

    return Counts(
        articles=count(Article),
        relevant=count(Article, Article.relevant),
        borderline=count(Article, Article.borderline),
        stories=count(Story, Story.merged_into.is_(None)),
        relevant_stories=count(Story, Story.merged_into.is_(None), Story.relevant),
        quarantined=count(Quarantine, Quarantine.resolved_at.is_(None)),
        relations={str(word): number for word, number in by_relation.all()},
    )
