"""Why two articles are one story, or are not; and what a masked copy may borrow from its twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from store import story_index as index
from store.dedup.canonical import fold
from store.dedup.passages import Span, shared_spans
from store.dedup.same_story import Text, compare
from store.models import Article, ArticleTag, StoryOverride
from store.story_related import related


@dataclass(slots=True, frozen=True)
class Side:
    """One of two compared articles; `shared` are the passages of `text` that the other one has too."""

    article_id: int
    story_id: int | None
    title: str
    publisher: str | None
    text: str
    shared: list[Span]
    share: float  # of this text's 4-grams found in the other, 0 to 1

    def marked(self, mark: Callable[[str], str]) -> str:
        """Return the text with `mark` applied to every shared passage."""
        parts, last = [], 0
        for start, stop in self.shared:
            parts += [self.text[last:start], mark(self.text[start:stop])]
            last = stop
        return "".join([*parts, self.text[last:]])


def _bracketed(passage: str) -> str:
    return f"【{passage}】"


@dataclass(slots=True, frozen=True)
class Explanation:
    """The comparison of two articles with everything that went into it."""

    a: Side
    b: Side
    together: bool  # they are in one story now
    kind: str  # same related different: what the texts alone say
    score: float
    conflicts: int  # figures in equal places that disagree ...
    numbers: int  # ... of so many
    masked: bool  # compared without digits, because one of the two is masked
    reason: str
    decisions: list[str]  # what persons decided about these two
    same_event: tuple[str, ...] = ()  # named practices, when they are two stories of one event

    def __str__(self) -> str:
        """Return all of it as text, shared passages between 【 and 】."""
        return self.written(_bracketed)

    def written(self, mark: Callable[[str], str]) -> str:
        """Return all of it as text with `mark` applied to shared passages."""
        without = ", compared without digits" if self.masked else ""
        lines = [
            f"articles {self.a.article_id} and {self.b.article_id}: {'one story' if self.together else 'two stories'}",
            f"the texts alone say: {self.kind} ({self.reason}{without})",
            f"shared: {self.a.share:.1%} of the first, {self.b.share:.1%} of the second",
            f"figures in equal places: {self.numbers}, of which disagree: {self.conflicts}",
            *([f"the same event, told by two: {'、'.join(self.same_event)}"] if self.same_event else []),
            *(f"decided by hand: {decision}" for decision in self.decisions),
        ]
        for side in (self.a, self.b):
            lines += [
                "",
                f"article {side.article_id}, story {side.story_id}, {side.publisher or '-'}: {side.title}",
                side.marked(mark),
            ]
        return "\n".join(lines)


def explain(session: Session, a_id: int, b_id: int) -> Explanation:
    """Return why articles `a_id` and `b_id` are one story or not. Raises LookupError when one does not exist."""
    a, b = _article(session, a_id), _article(session, b_id)
    left, right = _text(a), _text(b)
    verdict = compare(left, right)
    masked = bool(left.masks or right.masks)
    spans = shared_spans(a.text, b.text, plain=masked)
    return Explanation(
        a=_side(a, spans[0], verdict.of_a),
        b=_side(b, spans[1], verdict.of_b),
        together=a.story_id is not None and a.story_id == b.story_id,
        kind=verdict.kind,
        score=verdict.score,
        conflicts=verdict.conflicts,
        numbers=verdict.numbers,
        masked=masked,
        reason=verdict.reason,
        decisions=_decisions(session, a_id, b_id),
        same_event=_same_event(session, a.story_id, b.story_id),
    )


def _same_event(session: Session, a: int | None, b: int | None) -> tuple[str, ...]:
    if a is None or b is None or a == b:
        return ()
    return next((event.practices for event in related(session, a) if event.story_id == b), ())


def _article(session: Session, article_id: int) -> Article:
    article = session.get(Article, article_id)
    if article is None:
        raise LookupError(f"there is no article {article_id}")
    return article


def _text(article: Article) -> Text:
    return Text(article.title, article.text, host=index.host_of(article.url))


def _side(article: Article, spans: list[Span], share: float) -> Side:
    return Side(article.id, article.story_id, article.title, article.publisher, article.text, spans, share)


def _decisions(session: Session, a_id: int, b_id: int) -> list[str]:
    either = or_(StoryOverride.article_id.in_((a_id, b_id)), StoryOverride.other_id.in_((a_id, b_id)))
    rows = session.scalars(select(StoryOverride).where(either).order_by(StoryOverride.id))
    return [f"{row.action} {row.article_id} {row.other_id} ({row.who}: {row.reason})" for row in rows]


def borrowed_zones(session: Session, article: Article) -> list[str]:
    """Return the zones that a masked article may take from its unmasked twin in the same story; empty for others."""
    masks = fold(article.text).masks + fold(article.title).masks
    if not masks or article.story_id is None:
        return []
    mine = _text(article)
    twins = [
        known
        for known in index.members(session, [article.story_id])
        if known.article_id != article.id and not known.page and known.text.masks < masks
    ]
    if not twins:
        return []
    twin = max(
        twins, key=lambda known: (compare(mine, known.text).of_a - 0.01 * known.text.masks, -known.article_id)
    )
    if compare(mine, twin.text).kind != "same":
        return []
    zones = select(ArticleTag.name).where(ArticleTag.article_id == twin.article_id, ArticleTag.kind == "zone")
    return list(dict.fromkeys(session.scalars(zones.order_by(ArticleTag.id))))
