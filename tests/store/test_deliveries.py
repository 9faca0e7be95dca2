from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from store import deliveries
from store.config import RecipientEntry
from store.database import read_scope, session_scope
from store.deliveries import LedgerError, ledger
from store.models import Audit, Delivery, Issue, Recipient
from store.recipients import add_recipient, unsubscribe


def make_issue(session: Session, now: datetime, number: int = 1) -> Issue:
    issue = Issue(
        number=number,
        year=2026,
        year_number=number,
        period_start=now - timedelta(days=7 * (number + 1)),
        period_end=now - timedelta(days=7 * number),
        due_at=now - timedelta(days=7 * number),
        composed_at=now,
    )
    session.add(issue)
    session.flush()
    return issue


def add(session: Session, now: datetime, address: str, **wishes: object) -> Recipient:
    return add_recipient(session, RecipientEntry(address=address, **wishes), now, "test")  # type: ignore[arg-type]


@pytest.fixture
def queued(sqlite_engine: Engine, now: datetime) -> Engine:
    """Three queued deliveries, ids 1 to 3."""
    return fill(sqlite_engine, now)


@pytest.fixture
def queued_anywhere(engine: Engine, now: datetime) -> Engine:
    """The same on each kind of database."""
    return fill(engine, now)


def fill(engine: Engine, now: datetime) -> Engine:
    with session_scope(engine) as session:
        issue = make_issue(session, now)
        for name in ("a", "b", "c"):
            add(session, now, f"{name}@example.cn")
        deliveries.enqueue(session, issue.id, now)
    return engine


def claim_ids(engine: Engine, worker: str, now: datetime, limit: int = 10) -> list[int]:
    with ledger(engine) as session:
        return [row.id for row in deliveries.claim(session, worker, now, limit)]


def state_of(engine: Engine, key: int) -> str:
    with read_scope(engine) as session:
        return session.scalars(select(Delivery.state).where(Delivery.id == key)).one()


def test_enqueue_writes_one_row_per_recipient_and_channel_and_is_idempotent(
    session: Session, now: datetime
) -> None:
    issue = make_issue(session, now)
    add(session, now, "a@example.cn")
    add(session, now, "b@example.cn", channels=["mail", "folder", "mail"])
    assert deliveries.enqueue(session, issue.id, now) == 3
    assert deliveries.enqueue(session, issue.id, now) == 0
    assert deliveries.summary(session, issue.id) == {"queued": 3}


def test_enqueue_leaves_out_who_left_or_is_suppressed(session: Session, now: datetime) -> None:
    issue = make_issue(session, now)
    unsubscribe(session, add(session, now, "gone@example.cn"), now)
    add(session, now, "off@example.cn").active = False
    add(session, now, "bad@example.cn").suppressed_at = now
    session.flush()
    assert deliveries.enqueue(session, issue.id, now) == 0


def test_a_row_is_claimed_by_one_worker_only(queued_anywhere: Engine, now: datetime) -> None:
    assert claim_ids(queued_anywhere, "one", now, 2) == [1, 2]
    assert claim_ids(queued_anywhere, "two", now) == [3]
    assert claim_ids(queued_anywhere, "two", now) == []


def test_a_claim_closes_the_rows_of_who_left_and_goes_on_to_the_next(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        issue = make_issue(session, now)
        people = [add(session, now, f"r{number}@example.cn") for number in range(7)]
        deliveries.enqueue(session, issue.id, now)
        for person in people[:4]:
            person.active = False  # behind the ledger's back
    assert claim_ids(engine, "one", now, 2) == [5, 6]
    assert [state_of(engine, key) for key in range(1, 5)] == ["suppressed"] * 4
    assert claim_ids(engine, "one", now, 2) == [7]
    assert claim_ids(engine, "one", now, 2) == []


def test_many_workers_at_once_get_every_row_once(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        issue = make_issue(session, now)
        for number in range(60):
            add(session, now, f"r{number}@example.cn")
        deliveries.enqueue(session, issue.id, now)

    def work(worker: str) -> list[int]:
        taken: list[int] = []
        while ids := claim_ids(engine, worker, now, 7):
            taken += ids
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [key for ids in pool.map(work, "abcd") for key in ids]
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) + len(claim_ids(engine, "last", now, 100)) == 60


def test_the_whole_way_from_queued_to_sent(queued_anywhere: Engine, now: datetime) -> None:
    claim_ids(queued_anywhere, "w", now)
    with ledger(queued_anywhere) as session:
        assert deliveries.mark_at_the_dot(session, 1, "w", now, "<1@x>")
        assert not deliveries.mark_at_the_dot(session, 1, "w", now, "<1@x>")
        assert deliveries.mark_sent(session, 1, "w", now, "250 ok")
        assert not deliveries.mark_sent(session, 1, "w", now)
        assert not deliveries.mark_retry(session, 1, "w", now, "late")
    assert state_of(queued_anywhere, 1) == "sent"


def test_another_workers_row_cannot_be_marked(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "mine", now)
    with ledger(queued) as session:
        assert not deliveries.mark_at_the_dot(session, 1, "other", now)
        assert not deliveries.mark_retry(session, 1, "other", now, "x")
        assert not deliveries.mark_suppressed(session, 1, "other", now, "x")
        assert not deliveries.mark_skipped(session, 1, "other", "x")
        assert deliveries.release(session, [1], "other") == 0
    assert state_of(queued, 1) == "sending"


def test_a_retry_is_due_at_its_time_and_not_before(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "w", now)
    with ledger(queued) as session:
        deliveries.mark_retry(session, 2, "w", now + timedelta(seconds=1000), "greylisted", "451 later")
    assert claim_ids(queued, "w", now + timedelta(seconds=999)) == []
    assert claim_ids(queued, "w", now + timedelta(seconds=1000)) == [2]


def test_an_unsubscription_between_claim_and_dot_stops_the_mail(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "w", now)
    with session_scope(queued) as session:
        unsubscribe(session, session.get_one(Recipient, 1), now)
    with ledger(queued) as session:
        assert not deliveries.mark_at_the_dot(session, 1, "w", now)
        assert deliveries.release(session, [1], "w") == 1
    claim_ids(queued, "w", now)
    assert state_of(queued, 1) == "suppressed"


def test_a_refused_address_is_suppressed_with_all_its_waiting_rows(queued: Engine, now: datetime) -> None:
    with ledger(queued) as session:
        second = make_issue(session, now, 2)
        deliveries.enqueue(session, second.id, now)
    claim_ids(queued, "w", now, 1)
    with ledger(queued) as session:
        assert deliveries.mark_suppressed(session, 1, "w", now, "address_refused", "550 no such user")
        person = session.get_one(Recipient, 1)
        assert (person.suppressed_at, person.suppressed_reason) == (now, "address_refused")
        assert deliveries.summary(session, second.id) == {"queued": 2, "suppressed": 1}


def test_recovery_requeues_before_the_dot_and_doubts_behind_it(
    queued_anywhere: Engine, now: datetime
) -> None:
    claim_ids(queued_anywhere, "dead", now, 2)
    claim_ids(queued_anywhere, "alive", now)
    with ledger(queued_anywhere) as session:
        deliveries.mark_at_the_dot(session, 1, "dead", now)
    with ledger(queued_anywhere) as session:
        found = deliveries.recover(session, now, is_dead=lambda worker: worker == "dead")
    assert (found.requeued, found.in_doubt) == (1, 1)
    assert [state_of(queued_anywhere, key) for key in (1, 2, 3)] == ["in_doubt", "queued", "sending"]


def test_recovery_takes_old_claims_for_dead(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "w", now)
    with ledger(queued) as session:
        early = deliveries.recover(session, now + timedelta(seconds=900))
        late = deliveries.recover(session, now + timedelta(seconds=901))
    assert (early.requeued, late.requeued) == (0, 3)


def test_a_slow_worker_taken_for_dead_cannot_reach_the_dot(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "slow", now, 1)
    with ledger(queued) as session:
        deliveries.recover(session, now, is_dead=lambda _: True)
    assert claim_ids(queued, "other", now, 1) == [1]
    with ledger(queued) as session:
        assert not deliveries.mark_at_the_dot(session, 1, "slow", now)
        assert deliveries.mark_at_the_dot(session, 1, "other", now)


def test_a_slow_worker_may_still_say_that_it_was_sent(queued: Engine, now: datetime) -> None:
    claim_ids(queued, "slow", now, 1)
    with ledger(queued) as session:
        deliveries.mark_at_the_dot(session, 1, "slow", now)
        deliveries.recover(session, now, is_dead=lambda _: True)
        assert [row.id for row in deliveries.in_doubt(session)] == [1]
        assert deliveries.mark_sent(session, 1, "slow", now, "250 ok")
        assert not deliveries.in_doubt(session)


def test_doubt_is_settled_once_by_a_person_and_leaves_a_trace(queued_anywhere: Engine, now: datetime) -> None:
    claim_ids(queued_anywhere, "w", now, 2)
    with ledger(queued_anywhere) as session:
        for key in (1, 2):
            deliveries.mark_at_the_dot(session, key, "w", now)
            deliveries.mark_in_doubt(session, key, "w", "timeout")
        assert deliveries.settle(session, 1, True, "editor", now)
        assert deliveries.settle(session, 2, False, "editor", now)
        assert not deliveries.settle(session, 1, False, "editor", now)
        assert not deliveries.settle(session, 3, True, "editor", now)
        acts = session.scalars(select(Audit.target).where(Audit.what == "delivery.settle")).all()
    assert acts == ["delivery:1", "delivery:2"]
    assert [state_of(queued_anywhere, key) for key in (1, 2, 3)] == ["sent", "queued", "queued"]


def test_what_was_sent_lately_is_told_with_its_address(queued_anywhere: Engine, now: datetime) -> None:
    claim_ids(queued_anywhere, "w", now)
    with ledger(queued_anywhere) as session:
        for key in (1, 2):
            deliveries.mark_at_the_dot(session, key, "w", now)
        deliveries.mark_sent(session, 1, "w", now + timedelta(seconds=5))
        told = deliveries.sent_since(session, "mail", now - timedelta(minutes=1))
        assert told == [(now, "b@example.cn"), (now + timedelta(seconds=5), "a@example.cn")]
        assert deliveries.sent_since(session, "mail", now + timedelta(minutes=1)) == []


def test_what_is_left_after_a_run_is_told_with_the_first_moment_and_why(
    queued_anywhere: Engine, now: datetime
) -> None:
    def left() -> deliveries.Outlook:
        with read_scope(queued_anywhere) as session:
            return deliveries.outlook(session, now)

    assert left() == deliveries.Outlook(due=3)
    claim_ids(queued_anywhere, "w", now, 2)
    with ledger(queued_anywhere) as session:
        deliveries.mark_retry(session, 1, "w", now + timedelta(seconds=1000), "address_refused", "450 later")
        deliveries.release(session, [2], "w", now + timedelta(seconds=60))
    assert left() == deliveries.Outlook(
        due=1, put_off=2, next_at=now + timedelta(seconds=60), why=deliveries.PACED
    )
    with ledger(queued_anywhere) as session:
        deliveries.claim(session, "w", now + timedelta(seconds=60), 9)
        deliveries.mark_at_the_dot(session, 2, "w", now)
        deliveries.mark_in_doubt(session, 2, "w", "timeout")
    assert left() == deliveries.Outlook(
        put_off=1, next_at=now + timedelta(seconds=1000), why="450 later", in_doubt=1
    )


def test_rows_of_channels_nobody_serves_are_counted(queued: Engine, now: datetime) -> None:
    with ledger(queued) as session:
        assert deliveries.count_unserved(session, ["mail"]) == 0
        assert deliveries.count_unserved(session, ["folder"]) == 3


def test_a_full_disk_leaves_nothing_half_written(sqlite_engine: Engine, now: datetime) -> None:
    with session_scope(sqlite_engine) as session:
        issue = make_issue(session, now)
        for number in range(600):
            session.add(
                Recipient(address=f"r{number}@example.cn", token_key=f"{number:032x}", created_at=now)
            )
    with sqlite_engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(LedgerError, match="full"), ledger(sqlite_engine) as session:
        deliveries.enqueue(session, issue.id, now)
    with session_scope(sqlite_engine) as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    with sqlite_engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    with ledger(sqlite_engine) as session:
        assert deliveries.enqueue(session, issue.id, now) == 600


def test_a_fault_of_the_database_is_one_exception_without_sql(sqlite_engine: Engine, now: datetime) -> None:
    with session_scope(sqlite_engine) as session:
        session.execute(text("DROP TABLE delivery"))
    with pytest.raises(LedgerError) as caught, ledger(sqlite_engine) as session:
        deliveries.claim(session, "w", now, 1)
    assert "SELECT" not in str(caught.value)
