"""Deliveries and the database beneath them: full, locked, cut off, flushed."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update

from digest.channels.base import Parcel
from store.database import session_scope
from store.models import Recipient
from tests.digest.smtp_servers import Mailbox, real_server
from tests.digest.test_delivery import Office, RecordingChannel, addresses


def test_a_full_disk_stops_the_run_with_an_alarm_and_resumes(sqlite_engine: Engine, now: datetime) -> None:
    """The ledger cannot grow: a trigger writes with every marker, as a fuller table would."""
    office = Office(sqlite_engine, now, *addresses(6))
    with session_scope(sqlite_engine) as session:
        session.execute(text("CREATE TABLE ballast (octets BLOB)"))
        session.execute(
            text(
                "CREATE TRIGGER grow AFTER UPDATE OF state ON delivery WHEN new.state = 'at_the_dot' "
                "BEGIN INSERT INTO ballast VALUES (randomblob(3000)); END"
            )
        )
    with sqlite_engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages + 3}"))
    mailbox = Mailbox()
    with real_server(mailbox) as port:
        report = office.deliver(port, worker="first")
        assert 0 < report.sent < 6
        assert "full" in (report.alarm or "")
        assert len(mailbox.messages) == report.sent
        with sqlite_engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count=100000"))
        office.deliver(port, worker="second", stale_seconds=-1)
    assert sorted(recipients[0] for _, recipients, _ in mailbox.messages) == addresses(6)
    assert office.states() == ["sent"] * 6


def test_a_locked_database_is_waited_for(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(3))
    channel = RecordingChannel()

    def hold() -> None:
        with sqlite_engine.begin():
            time.sleep(0.4)

    holder = threading.Thread(target=hold)
    holder.start()
    time.sleep(0.05)
    assert office.run({"mail": channel}).sent == 3
    holder.join()


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_lost_behind_the_dot_is_made_anew_and_the_answer_recorded(
    engine: Engine, now: datetime
) -> None:
    office = Office(engine, now, *addresses(3))

    def cut(parcel: Parcel) -> None:
        if "r001" in parcel.address:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            with engine.connect() as connection:
                connection.execute(text(others))

    report = office.run({"mail": RecordingChannel(behind=cut)})
    assert (report.sent, report.alarm) == (3, None)
    assert office.states() == ["sent"] * 3


def test_every_marker_is_flushed_to_the_disk_before_the_dot(sqlite_engine: Engine, now: datetime) -> None:
    """Only "sent" is not: what a power cut takes of it leaves the row in doubt."""
    office = Office(sqlite_engine, now, *addresses(2))
    flushed: dict[str, bool] = {}

    def note(connection: Any) -> None:
        raw = connection.connection.driver_connection
        (states,) = raw.execute(
            "SELECT group_concat(state) FROM (SELECT state FROM delivery ORDER BY id)"
        ).fetchone()
        flushed.setdefault(states, raw.execute("PRAGMA synchronous").fetchone() == (2,))

    event.listen(sqlite_engine, "commit", note)
    office.run({"mail": RecordingChannel()})
    assert flushed == {
        "queued,queued": True,
        "sending,sending": True,
        "at_the_dot,sending": True,
        "sent,sending": False,
        "sent,at_the_dot": True,
        "sent,sent": False,
    }


def test_a_ledger_that_cannot_be_read_is_an_alarm_not_an_exception(
    sqlite_engine: Engine, now: datetime
) -> None:
    office = Office(sqlite_engine, now)
    with session_scope(sqlite_engine) as session:
        session.execute(text("DROP TABLE delivery"))
    assert "ledger" in (office.run({"mail": RecordingChannel()}).alarm or "")


def test_no_transaction_is_open_while_a_parcel_is_on_its_way(sqlite_engine: Engine, now: datetime) -> None:
    office = Office(sqlite_engine, now, *addresses(2))

    def write_elsewhere(_: Parcel) -> None:
        with sqlite_engine.connect() as connection:
            connection.execute(text("PRAGMA busy_timeout=0"))
            connection.rollback()
        with session_scope(sqlite_engine) as session:
            session.execute(update(Recipient).values(name="x"))

    channel = RecordingChannel(before=write_elsewhere, behind=write_elsewhere)
    assert office.run({"mail": channel}).sent == 2
