from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.edits import EditError, add_edit, undo_edit
from store.issues import Draft, DraftStory, editor_acts, freeze
from store.models import Audit, Story


@pytest.fixture
def desk(session: Session, now: datetime) -> Session:
    session.add_all([Story(title="题", first_seen_at=now, last_seen_at=now, relevant=True) for _ in range(2)])
    session.flush()
    return session


def act(
    session: Session, now: datetime, kind: str, story: int | None = None, value: str = "", reason: str = ""
) -> int:
    return add_edit(session, kind, story, value=value, reason=reason, who="王", now=now).id


def test_a_later_decision_of_the_same_kind_replaces_the_earlier(desk: Session, now: datetime) -> None:
    act(desk, now, "retitle", 1, "旧题")
    act(desk, now + timedelta(seconds=1), "retitle", 1, "新题")
    act(desk, now, "retitle", 2, "另一条")
    assert [(a.story_id, a.value) for a in editor_acts(desk)] == [(2, "另一条"), (1, "新题")]


def test_corrections_add_up(desk: Session, now: datetime) -> None:
    act(desk, now, "erratum", None, "一")
    act(desk, now, "erratum", None, "二")
    assert [a.value for a in editor_acts(desk)] == ["一", "二"]


def test_approval_lifts_a_hold_and_a_hold_an_approval(desk: Session, now: datetime) -> None:
    for kind in ("hold", "approve", "hold"):
        act(desk, now, kind)
        assert [a.kind for a in editor_acts(desk)] == [kind]


def test_every_act_is_in_the_audit_trail(desk: Session, now: datetime) -> None:
    edit = act(desk, now, "drop", 1, reason="重复")
    assert undo_edit(desk, edit, who="李", now=now)
    trail = desk.scalars(select(Audit).order_by(Audit.id)).all()
    assert [(a.who, a.what, a.target) for a in trail] == [
        ("王", "edit.drop", "story:1"),
        ("李", "edit.undo", "story:1"),
    ]
    assert trail[0].detail == {"value": "", "reason": "重复"}


def test_what_took_effect_cannot_be_undone_but_a_drop_can(desk: Session, now: datetime) -> None:
    note, drop = act(desk, now, "note", None, "按"), act(desk, now, "drop", 1, reason="重复")
    stories = [DraftStory(2, "org", 1, True, 1.0, {})]
    assert freeze(desk, Draft(1, 2026, 1, now, now, now, now, False, {}, stories, [note, drop]))
    desk.expire_all()
    assert not undo_edit(desk, note, who="王", now=now)
    assert undo_edit(desk, drop, who="王", now=now)
    assert not undo_edit(desk, drop, who="王", now=now)
    assert not undo_edit(desk, 999, who="王", now=now)
    with pytest.raises(EditError, match="已经编发"):
        act(desk, now, "pin", 2)


def test_control_characters_do_not_reach_the_issue(desk: Session, now: datetime) -> None:
    act(desk, now, "retitle", 1, "题\x00\u202e目\ud800")
    assert editor_acts(desk)[0].value == "题目"
