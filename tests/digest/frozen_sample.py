"""A frozen issue of made-up stories in a database, with recipients and their rows in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from digest.sample import SAMPLE_NOW, sample_issue
from store import deliveries
from store.models import Issue, IssueStory, Recipient, Story


def freeze_sample(session: Session, stories: int = 45) -> int:
    """Write the sample issue as if it had been composed; returns its number in the database."""
    draft = sample_issue(stories=stories)
    values = asdict(draft)
    placed = values.pop("stories")
    del values["edit_ids"]
    issue = Issue(**values)
    session.add(issue)
    session.add_all(
        Story(
            id=each["story_id"],
            title="一条",
            first_seen_at=SAMPLE_NOW,
            last_seen_at=SAMPLE_NOW,
            relevant=True,
        )
        for each in placed
    )
    session.flush()
    session.add_all(IssueStory(issue_id=issue.id, **each) for each in placed)
    session.flush()
    return int(issue.id)


def add_people(session: Session, count: int, wishes: Sequence[dict[str, Any]] = ({},)) -> None:
    """Add `count` recipients r0@example.cn …, whose wishes take turns."""
    common = {"zones": [], "themes": [], "provinces": [], "channels": [], "word": True}
    people = [
        common
        | {"address": f"r{n}@example.cn", "name": f"第{n}位", "token_key": f"{n:032x}"}
        | {"created_at": SAMPLE_NOW}
        | wishes[n % len(wishes)]
        for n in range(count)
    ]
    session.bulk_insert_mappings(Recipient.__mapper__, people)
    session.flush()


def enqueue(session: Session, issue_id: int) -> int:
    """Queue the issue for everybody."""
    return deliveries.enqueue(session, issue_id, SAMPLE_NOW)
