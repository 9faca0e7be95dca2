from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from digest.addresses import wire_address
from store import deliveries, suppressions
from store.config import RecipientEntry
from store.database import session_scope
from store.models import Audit, Delivery, Issue, Recipient
from store.recipient_csv import COLUMNS, ImportFailed, export_csv, import_csv
from store.recipients import (
    RecipientError,
    add_recipient,
    erase,
    export_person,
    find_by_token_key,
    find_recipient,
    get_recipient,
    list_recipients,
    normalise_address,
    reactivate,
    remove_recipient,
    resubscribe,
    revoke_links,
    set_preferences,
    suppress,
    sync_recipients,
    unsubscribe,
)
from store.text import clean_line
from tests.digest.hostile_values import BAD_ADDRESSES, TEXTS


def entry(address: str, **wishes: Any) -> RecipientEntry:
    return RecipientEntry(address=address, **wishes)


@pytest.fixture
def session(sqlite_engine: Engine) -> Any:
    with session_scope(sqlite_engine) as session:
        yield session


def written_to(session: Session) -> list[Recipient]:
    return list(
        session.scalars(select(Recipient).where(deliveries.deliverable()).order_by(Recipient.address))
    )


def test_a_reading_of_the_file_adds_changes_and_deactivates(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        first = sync_recipients(session, [entry("a@example.cn"), entry("b@example.cn", zones=["合肥"])], now)
        assert first.added == ["a@example.cn", "b@example.cn"]
        again = sync_recipients(session, [entry("A@Example.CN"), entry("b@example.cn", zones=["合肥"])], now)
        assert (again.added, again.changed, again.deactivated) == ([], [], [])
        third = sync_recipients(session, [entry("b@example.cn", zones=["芜湖"])], now)
        assert (third.changed, third.deactivated) == (["b@example.cn"], ["a@example.cn"])
        assert [row.address for row in written_to(session)] == ["b@example.cn"]
        assert get_recipient(session, "b@example.cn").zones == ["芜湖"]
        assert sync_recipients(
            session, [entry("a@example.cn"), entry("b@example.cn", zones=["芜湖"])], now
        ).changed == ["a@example.cn"]
        assert get_recipient(session, "a@example.cn").active


def test_the_file_leaves_people_added_by_command_alone(session: Session, now: datetime) -> None:
    add_recipient(session, entry("a@example.cn", themes=["x"]), now, "admin")
    report = sync_recipients(session, [entry("a@example.cn", themes=["y"])], now)
    assert report.ignored == ["a@example.cn"]
    assert sync_recipients(session, [], now).deactivated == []
    row = get_recipient(session, "a@example.cn")
    assert (row.themes, row.active, row.origin) == (["x"], True, "command")


def test_what_a_person_chose_survives_until_the_file_says_something_new(
    session: Session, now: datetime
) -> None:
    sync_recipients(session, [entry("a@example.cn", zones=["合肥"])], now)
    set_preferences(session, get_recipient(session, "a@example.cn"), {"zones": ["芜湖"], "word": True}, now)
    sync_recipients(session, [entry("a@example.cn", zones=["合肥"])], now)
    assert get_recipient(session, "a@example.cn").zones == ["芜湖"]
    sync_recipients(session, [entry("a@example.cn", zones=["蚌埠"])], now)
    assert get_recipient(session, "a@example.cn").zones == ["蚌埠"]


def test_the_file_takes_nobody_back_who_left_or_is_suppressed(session: Session, now: datetime) -> None:
    people = [entry("a@example.cn"), entry("b@example.cn")]
    sync_recipients(session, people, now)
    unsubscribe(session, get_recipient(session, "a@example.cn"), now)
    suppress(session, get_recipient(session, "b@example.cn"), "bounced", now)
    sync_recipients(session, [], now)
    sync_recipients(session, people, now)
    assert written_to(session) == []


def test_adding_twice_is_refused_and_a_removed_one_comes_back(session: Session, now: datetime) -> None:
    add_recipient(session, entry("a@example.cn"), now, "admin")
    with pytest.raises(RecipientError, match="already"):
        add_recipient(session, entry("A@EXAMPLE.cn"), now, "admin")
    remove_recipient(session, "a@example.cn", now, "admin")
    assert not written_to(session)
    assert add_recipient(session, entry("a@example.cn", name="张三"), now, "admin").name == "张三"
    assert len(written_to(session)) == 1


def test_one_named_in_the_file_is_removed_there(session: Session, now: datetime) -> None:
    sync_recipients(session, [entry("a@example.cn")], now)
    with pytest.raises(RecipientError, match="configuration file"):
        remove_recipient(session, "a@example.cn", now, "admin")
    with pytest.raises(RecipientError, match="no recipient"):
        remove_recipient(session, "x@example.cn", now, "admin")


def test_leaving_and_coming_back_work_once_and_are_written_down(session: Session, now: datetime) -> None:
    row = add_recipient(session, entry("a@example.cn"), now, "admin")
    assert unsubscribe(session, row, now)
    assert not unsubscribe(session, row, now + timedelta(days=1))
    assert row.unsubscribed_at == now
    assert resubscribe(session, row, now)
    assert not resubscribe(session, row, now)
    session.flush()
    acts = session.scalars(
        select(Audit.what).where(Audit.target == f"recipient:{row.id}").order_by(Audit.id)
    ).all()
    assert acts == ["recipient.add", "recipient.unsubscribe", "recipient.resubscribe"]


def test_leaving_withdraws_what_is_still_waiting(session: Session, now: datetime) -> None:
    row = add_recipient(session, entry("a@example.cn"), now, "admin")
    moments = dict.fromkeys(("period_start", "period_end", "due_at", "composed_at"), now)
    session.add(Issue(number=1, year=2026, year_number=1, **moments))
    session.flush()
    deliveries.enqueue(session, 1, now)
    unsubscribe(session, row, now)
    assert deliveries.summary(session, 1) == {"suppressed": 1}


def test_an_operator_can_take_anyone_back(session: Session, now: datetime) -> None:
    row = add_recipient(session, entry("a@example.cn"), now, "admin")
    unsubscribe(session, row, now)
    assert suppress(session, row, "550 no such user", now)
    assert not suppress(session, row, "again", now)
    assert reactivate(session, "a@example.cn", now, "admin") is row
    assert written_to(session) == [row]
    with pytest.raises(RecipientError):
        reactivate(session, "x@example.cn", now, "admin")


def test_personal_links_find_their_owner_until_they_are_revoked(session: Session, now: datetime) -> None:
    row = add_recipient(session, entry("a@example.cn"), now, "admin")
    key = row.token_key
    assert len(key) == 32
    assert find_by_token_key(session, key) is row
    assert find_by_token_key(session, "") is None
    revoke_links(session, row, now, "admin")
    session.flush()
    assert find_by_token_key(session, key) is None


def test_erasing_leaves_a_hash_and_nothing_else(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        row = add_recipient(session, entry("zhang@example.cn", name="张三", zones=["合肥"]), now, "admin")
        moments = dict.fromkeys(("period_start", "period_end", "due_at", "composed_at"), now)
        session.add(Issue(number=1, year=2026, year_number=1, **moments))
        session.flush()
        deliveries.enqueue(session, 1, now)
        deliveries.claim(session, "w", now, 1)
        deliveries.mark_at_the_dot(session, 1, "w", now, "<1.hash@example.cn>")
        deliveries.mark_sent(session, 1, "w", now, "250 ok zhang@example.cn")
        set_preferences(session, row, {"zones": ["芜湖"]}, now)
        assert erase(session, "ZHANG@example.cn", now, "admin")
        assert not erase(session, "zhang@example.cn", now, "admin")
    with session_scope(engine) as session:
        tables = session.scalars(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'search_index'"  # no rows to read
                if engine.dialect.name == "sqlite"
                else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            )
        ).all()
        everything = str([session.execute(text(f'SELECT * FROM "{table}"')).all() for table in tables])
        for trace in ("zhang", "张三", "芜湖", "合肥", "1.hash"):
            assert trace not in everything
        assert deliveries.summary(session, 1) == {"sent": 1}
        assert list_recipients(session) == []


def test_an_erased_address_stays_away_until_an_operator_says_otherwise(
    session: Session, now: datetime
) -> None:
    add_recipient(session, entry("a@example.cn"), now, "admin")
    erase(session, "a@example.cn", now, "admin")
    assert sync_recipients(session, [entry("a@example.cn")], now).refused == ["a@example.cn"]
    with pytest.raises(RecipientError, match="erased"):
        add_recipient(session, entry("A@example.cn"), now, "admin")
    with pytest.raises(ImportFailed, match=r"f.csv:2: .*erased"):
        import_csv(session, b"address\na@example.cn\n", "f.csv", now, "admin")
    assert reactivate(session, "a@example.cn", now, "admin") is None
    add_recipient(session, entry("a@example.cn"), now, "admin")
    assert not suppressions.is_remembered(session, "a@example.cn")


def test_a_persons_data_come_out_whole_but_without_the_key_to_their_links(
    session: Session, now: datetime
) -> None:
    row = add_recipient(session, entry("a@example.cn", name="张三", zones=["合肥"]), now, "admin")
    session.flush()
    told = export_person(session, "a@example.cn")
    assert told["recipient"]["name"] == "张三"
    assert told["recipient"]["created_at"].startswith("2026-11-23")
    assert [act["what"] for act in told["acts"]] == ["recipient.add"]
    assert row.token_key not in str(told)
    with pytest.raises(RecipientError):
        export_person(session, "x@example.cn")


def test_preferences_are_cleaned_and_capped(session: Session, now: datetime) -> None:
    row = add_recipient(session, entry("a@example.cn"), now, "admin")
    set_preferences(
        session, row, {"zones": ["a\r\nb", "", "a b", *map(str, range(2000))], "send_empty": True}, now
    )
    assert row.zones[:2] == ["a b", "0"]
    assert len(row.zones) <= 500
    assert row.send_empty
    for key in ("address", "token_key", "active", "channels"):
        with pytest.raises(RecipientError):
            set_preferences(session, row, {key: "x"}, now)


@pytest.mark.parametrize("address", [*BAD_ADDRESSES, *(text for text in TEXTS if "@" in text)])
def test_what_is_no_address_is_refused_or_only_stripped_of_the_invisible(address: str) -> None:
    try:
        kept = normalise_address(address)
    except RecipientError:
        return
    assert str(wire_address(kept)).isascii()
    assert clean_line(address).lower() == kept


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_an_address_is_refused_or_kept_in_one_form(text: str) -> None:
    for address in (text, f"{text}@example.cn", f"a@{text}.cn"):
        try:
            kept = normalise_address(address)
        except RecipientError:
            continue
        assert normalise_address(kept) == kept
        assert wire_address(kept)
        assert kept.count("@") == 1


CSV = "address,name,zones,word\r\na@example.cn,张三,合肥高新区;芜湖高新区,是\r\nb@example.cn,,,\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_spreadsheets_file_is_read_in_its_encodings(session: Session, now: datetime, encoding: str) -> None:
    added, known = import_csv(session, CSV.encode(encoding), "人员.csv", now, "admin")
    assert (added, known) == (["a@example.cn", "b@example.cn"], [])
    row = get_recipient(session, "a@example.cn")
    assert (row.name, row.zones, row.word) == ("张三", ["合肥高新区", "芜湖高新区"], True)
    assert import_csv(session, CSV.encode(), "人员.csv", now, "admin") == (
        [],
        ["a@example.cn", "b@example.cn"],
    )


def test_chinese_column_names_are_understood(session: Session, now: datetime) -> None:
    import_csv(session, "姓名,邮箱,高新区\n李四,li@example.cn,合肥、芜湖\n".encode(), "f.csv", now, "admin")
    assert get_recipient(session, "li@example.cn").zones == ["合肥", "芜湖"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "f.csv:1: the file is empty"),
        ("name\nx\n", "f.csv:1: no column address"),
        ("address,phone\n", "f.csv:1: column 'phone'"),
        ("address,address\n", "f.csv:1: column 'address'"),
        ("address\nnobody\n", "f.csv:2: 'nobody' is not a mail address"),
        ("address\na@example.cn\n\nA@example.cn\n", "f.csv:4: a@example.cn already stands in line 2"),
        ("address,word\na@example.cn,maybe\n", "f.csv:2: word is 'maybe'; write 是 or 否"),
        ("address\na@example.cn,x\n", "f.csv:2: more cells than columns"),
        ('address,name\na@example.cn,"two\nlines"\nbad,x\n', "f.csv:4: 'bad' is not"),
        (b"address\n\xff\xff\xff@example.cn\n", "f.csv:2: neither UTF-8 nor GB18030"),
        ("address\n" + "x" * 200_000 + "\n", "f.csv:2"),
    ],
)  # fmt: skip
def test_every_fault_of_a_file_is_named_with_its_line_and_nothing_is_taken(
    session: Session, now: datetime, content: str | bytes, message: str
) -> None:
    octets = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(ImportFailed) as caught:
        import_csv(session, octets, "f.csv", now, "admin")
    assert str(caught.value).startswith(message)
    assert list_recipients(session) == []


def test_a_huge_file_is_refused_at_once(session: Session, now: datetime) -> None:
    with pytest.raises(ImportFailed, match="MB"):
        import_csv(session, b"x" * 10_000_001, "f.csv", now, "admin")


@given(octets=st.binary(max_size=300))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused_with_a_line(session: Session, now: datetime, octets: bytes) -> None:
    faults: list[str] = []
    try:
        import_csv(session, b"address,name\n" + octets, "f.csv", now, "admin")
    except ImportFailed as error:
        faults = error.errors
    assert all(line.startswith("f.csv:") for line in faults)


def test_what_goes_out_comes_back_the_same(session: Session, now: datetime) -> None:
    for number, name in enumerate(TEXTS[:120]):
        add_recipient(
            session, entry(f"r{number}@example.cn", name=name, zones=["合肥", "=cmd"]), now, "admin"
        )
    before = {row.address: (row.name, row.zones, row.word) for row in list_recipients(session)}
    content = export_csv(session)
    assert content.startswith("\ufeff" + ",".join(COLUMNS))
    for line in content.split("\r\n")[1:]:
        for cell in line.split(","):
            assert not cell.startswith(("=", "+", "-", "@"))
    session.execute(text("DELETE FROM recipient"))
    session.expire_all()
    import_csv(session, content.encode(), "f.csv", now, "admin")
    after = {row.address: (row.name, row.zones, row.word) for row in list_recipients(session)}
    assert after == before


def test_no_two_people_share_a_key(session: Session, now: datetime) -> None:
    for number in range(50):
        add_recipient(session, entry(f"r{number}@example.cn"), now, "admin")
    assert len(set(session.scalars(select(Recipient.token_key)))) == 50
    assert session.scalars(select(Delivery)).all() == []
    assert find_recipient(session, "R1@EXAMPLE.CN") is not None
