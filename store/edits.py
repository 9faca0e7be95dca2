"""The editor's decisions about the coming issue, each with who, when and why; every act stands in the audit trail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.models import Article, Audit, Edit, IssueStory, Story
from store.stories import merge, split
from store.text import clean_line, clean_text

#: Acts on one story, with the longest value each takes (None: no value).
STORY_ACTS: dict[str, int | None] = {
    "include": None,
    "pin": None,
    "drop": None,
    "retitle": 80,
    "move": 40,
    "summary": 120,
    "note": 300,
    "hold": None,
}
#: Acts on the whole issue.
ISSUE_ACTS: dict[str, int | None] = {"note": 2000, "erratum": 500, "hold": None, "approve": None}
_LONGEST_REASON = 200


class EditError(ValueError):
    """A decision that cannot be taken; the text says why, in the editor's language."""


def add_edit(
    session: Session, kind: str, story_id: int | None, *, value: str, reason: str, who: str, now: datetime
) -> Edit:
    """Write a decision; a later one of the same kind for the same story replaces the earlier. Raises EditError."""
    acts = ISSUE_ACTS if story_id is None else STORY_ACTS
    if kind not in acts:
        raise EditError(f"没有“{clean_line(kind)[:20]}”这项操作")
    value, reason = clean_text(value).strip(), clean_line(reason)[:_LONGEST_REASON]
    _check(session, kind, story_id, value, reason, acts[kind])
    if kind != "erratum":
        _replace(session, kind, story_id, now)
    edit = Edit(kind=kind, story_id=story_id, value=value, reason=reason, who=who, created_at=now)
    session.add(edit)
    session.flush()
    detail = {"value": value, "reason": reason}
    session.add(Audit(at=now, who=who, what=f"edit.{kind}", target=_target(story_id), detail=detail))
    return edit


def _check(
    session: Session, kind: str, story_id: int | None, value: str, reason: str, longest: int | None
) -> None:
    if story_id is not None:
        story = session.get(Story, story_id)
        if story is None or story.merged_into is not None:
            raise EditError(f"没有第{story_id}号报道")
        if session.scalar(select(IssueStory.id).where(IssueStory.story_id == story_id)) is not None:
            raise EditError("这条报道已经编发，改动请用勘误")
    if kind == "drop" and not reason:
        raise EditError("撤下一条报道要写明理由")
    if longest is None:
        if value:
            raise EditError(f"“{kind}”不带内容")
    elif not value:
        raise EditError("内容不能为空；要取消原来的改动，请用撤销")
    elif len(value) > longest:
        raise EditError(f"最多{longest}字，现有{len(value)}字")


def _replace(session: Session, kind: str, story_id: int | None, now: datetime) -> None:
    same = Edit.story_id == story_id if story_id is not None else Edit.story_id.is_(None)
    opposite = {"hold": "approve", "approve": "hold"}.get(kind, kind) if story_id is None else kind
    session.execute(
        update(Edit)
        .where(same, Edit.kind.in_({kind, opposite}), Edit.undone_at.is_(None), Edit.issue_id.is_(None))
        .values(undone_at=now)
    )


def undo_edit(session: Session, edit_id: int, *, who: str, now: datetime) -> bool:
    """Undo a decision that has not taken effect in an issue, or a drop; False when there is none such."""
    edit = session.get(Edit, edit_id)
    if edit is None or edit.undone_at is not None or (edit.issue_id is not None and edit.kind != "drop"):
        return False
    edit.undone_at = now
    detail = {"kind": edit.kind, "value": edit.value}
    session.add(Audit(at=now, who=who, what="edit.undo", target=_target(edit.story_id), detail=detail))
    return True


@dataclass(frozen=True, slots=True)
class Member:
    """An article of a story, as the editor sees it when taking it out."""

    article_id: int
    title: str
    publisher: str


def members(session: Session, story_ids: Sequence[int]) -> dict[int, list[Member]]:
    """Return the articles of stories, in order of arrival."""
    rows = session.execute(
        select(Article.story_id, Article.id, Article.title, Article.publisher)
        .where(Article.story_id.in_(story_ids))
        .order_by(Article.id)
    )
    found: dict[int, list[Member]] = defaultdict(list)
    for story_id, article_id, title, publisher in rows:
        found[story_id or 0].append(Member(article_id, title, publisher or ""))
    return found


def merge_stories(session: Session, a: int, b: int, *, reason: str, who: str, now: datetime) -> int:
    """Make two stories one, for good; return the number of the one that stays. Raises EditError."""
    reason = _reason(reason, "合并报道要写明理由")
    try:
        kept = merge(session, a, b, who, reason, now).id
    except LookupError as error:
        raise EditError(f"没有第{b}号报道") from error
    except ValueError as error:
        raise EditError("一条报道不能与自己合并") from error
    detail = {"with": b, "kept": kept, "reason": reason}
    session.add(Audit(at=now, who=who, what="story.merge", target=_target(a), detail=detail))
    return kept


def split_story(session: Session, article_id: int, *, reason: str, who: str, now: datetime) -> int:
    """Take an article out of its story, for good; return the number of its new story. Raises EditError."""
    reason = _reason(reason, "拆分报道要写明理由")
    try:
        made = split(session, article_id, who, reason, now).id
    except LookupError as error:
        raise EditError(f"没有第{article_id}号文章") from error
    except ValueError as error:
        raise EditError("这条报道只有这一篇文章") from error
    detail = {"story": made, "reason": reason}
    session.add(Audit(at=now, who=who, what="story.split", target=f"article:{article_id}", detail=detail))
    return made


def _reason(reason: str, complaint: str) -> str:
    if not (reason := clean_line(reason)[:_LONGEST_REASON]):
        raise EditError(complaint)
    return reason


def _target(story_id: int | None) -> str:
    return f"story:{story_id}" if story_id is not None else "issue:coming"
