from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text

from digest.tokens import Purpose, make_token
from digest.web.app import create_app
from digest.web.recipients import masked
from store.config import Config, DigestSection, RecipientEntry
from store.database import session_scope
from store.models import Audit, Recipient
from store.recipients import add_recipient, erase, get_recipient, revoke_links
from tests.digest.hostile_values import TEXTS

SECRET = "a secret for the tests, long enough"
ADDRESS = "zhangsan@example.cn"


@pytest.fixture
def client(sqlite_engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setenv("PARKNEWS_WEB_SECRET", SECRET)
    with session_scope(sqlite_engine) as session:
        add_recipient(session, RecipientEntry(address=ADDRESS, name="张三"), now, "test")
        add_recipient(session, RecipientEntry(address="other@example.cn", name="李四"), now, "test")
    config = Config(digest=DigestSection(public_url="https://news.example.cn"))
    return create_app(sqlite_engine, config).test_client()


@pytest.fixture
def person(sqlite_engine: Engine) -> Callable[[], Recipient]:
    def load() -> Recipient:
        with session_scope(sqlite_engine) as session:
            return get_recipient(session, ADDRESS)

    return load


def link(person: Recipient, purpose: Purpose) -> str:
    path = {"unsubscribe": "u", "preferences": "p", "archive": "a"}[purpose]
    return f"/{path}/{make_token(SECRET, person.token_key, purpose)}"


def test_opening_the_link_changes_nothing(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    for _ in range(3):
        response = client.get(link(person(), "unsubscribe"))
        assert response.status_code == 200
        assert "确认退订" in response.text
    assert client.head(link(person(), "unsubscribe")).status_code == 200
    assert person().unsubscribed_at is None


def test_posting_the_form_leaves_and_once_is_enough(
    client: FlaskClient, person: Callable[[], Recipient]
) -> None:
    for _ in range(2):
        response = client.post(link(person(), "unsubscribe"), data={"action": "unsubscribe"})
        assert response.status_code == 200
        assert "已退订" in response.text
    assert person().unsubscribed_at is not None
    assert "恢复订阅" in client.get(link(person(), "unsubscribe")).text


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_mail_programs_one_click_leaves_without_a_page(
    client: FlaskClient, person: Callable[[], Recipient], content_type: str
) -> None:
    response = client.post(
        link(person(), "unsubscribe"), data={"List-Unsubscribe": "One-Click"}, content_type=content_type
    )
    assert (response.status_code, response.text) == (200, "unsubscribed\n")
    assert "Set-Cookie" not in response.headers
    assert person().unsubscribed_at is not None


def test_who_left_can_come_back_by_the_same_link(
    client: FlaskClient, person: Callable[[], Recipient], sqlite_engine: Engine
) -> None:
    client.post(link(person(), "unsubscribe"))
    client.post(link(person(), "unsubscribe"), data={"action": "resubscribe"})
    assert person().unsubscribed_at is None
    with session_scope(sqlite_engine) as session:
        acts = session.scalars(select(Audit.what).where(Audit.target == f"recipient:{person().id}")).all()
    assert acts == ["recipient.add", "recipient.unsubscribe", "recipient.resubscribe"]


def test_preferences_are_shown_and_kept(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    page = client.get(link(person(), "preferences")).text
    theme = re.findall(r'name="themes" value="([^"]+)"', page)[0]
    zones = re.findall(r'name="zones" value="([^"]+)"', page)
    assert len(zones) > 100
    assert " checked" not in page
    data = {"themes": [theme], "zones": zones[:2], "provinces": ["安徽"], "word": "1"}
    response = client.post(link(person(), "preferences"), data=data)
    assert "已保存" in response.text
    assert response.text.count(" checked") == 5
    kept = person()
    assert (kept.themes, kept.zones, kept.provinces, kept.word) == ([theme], zones[:2], ["安徽"], True)
    client.post(link(kept, "preferences"), data={})
    assert (person().zones, person().word) == ([], False)


def test_a_link_opens_its_own_page_only(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    tokens: dict[str, str] = {
        purpose: link(person(), purpose).split("/")[2]
        for purpose in ("unsubscribe", "preferences", "archive")
    }
    for purpose, token in tokens.items():
        for path, own in (("u", "unsubscribe"), ("p", "preferences")):
            assert client.get(f"/{path}/{token}").status_code == (200 if own == purpose else 404)
            assert client.post(f"/{path}/{token}").status_code == (200 if own == purpose else 404)


def test_no_page_tells_whose_it_is_or_of_anybody_else(
    client: FlaskClient, person: Callable[[], Recipient]
) -> None:
    for purpose in ("unsubscribe", "preferences"):
        page = client.get(link(person(), purpose)).text
        for secret in (ADDRESS, "张三", "other", "李四", person().token_key + '"'):
            assert secret not in page
        assert "z***@example.cn" in page
    assert masked("x") == "***@x"


def test_hostile_tokens_all_look_like_a_page_that_does_not_exist(
    client: FlaskClient, person: Callable[[], Recipient]
) -> None:
    good = link(person(), "unsubscribe").split("/")[2]
    other = make_token("another secret, also long enough", person().token_key, "unsubscribe")
    cut = [good[:n] for n in range(1, len(good), 7)]
    for token in [*TEXTS, other, good + "x", person().token_key, *cut]:
        path = (
            "/u/" + token.encode("utf-8", "replace").hex()
            if "\ud800" <= token[:1] <= "\udfff"
            else f"/u/{token}"
        )
        for method in (client.get, client.post):
            try:
                response = method(path)
            except (ValueError, UnicodeError):
                continue  # the test client's own limits on URLs
            assert response.status_code in {301, 308, 400, 403, 404, 405}, token
            assert "Traceback" not in response.text
            assert "<script" not in response.text
    assert person().unsubscribed_at is None


@given(fields=st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=40), max_size=4), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_form_is_taken_or_ignored(
    client: FlaskClient, person: Callable[[], Recipient], fields: dict[str, list[str]]
) -> None:
    data = {key.encode("utf-8", "replace").decode(): [value.encode("utf-8", "replace").decode() for value in values]
            for key, values in fields.items()}  # fmt: skip
    assert client.post(link(person(), "preferences"), data=data).status_code == 200
    assert client.post(link(person(), "unsubscribe"), data=data).status_code == 200


def test_hostile_wishes_are_left_out(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    texts = [value.encode("utf-8", "replace").decode() for value in TEXTS if len(value) < 1000]
    for begin in range(0, len(texts), 60):
        some = texts[begin : begin + 60]
        data = {
            "zones": some,
            "themes": some,
            "provinces": some,
            "word": "<script>",
            "address": "x@example.com",
        }
        response = client.post(link(person(), "preferences"), data=data)
        assert response.status_code == 200
        assert "<script" not in response.text
    kept = person()
    assert (kept.zones, kept.themes, kept.provinces, kept.word) == ([], [], [], False)
    assert kept.address == ADDRESS


def test_a_form_too_large_is_refused(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    path = link(person(), "preferences")
    assert client.post(path, data={"zones": ["x"] * 1001}).status_code == 413
    assert client.post(path, data={"zones": "x" * 70_000}).status_code == 413


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client: FlaskClient, person: Callable[[], Recipient], method: str) -> None:
    assert getattr(client, method)(link(person(), "unsubscribe")).status_code == 405


def test_every_answer_is_shut_in(client: FlaskClient, person: Callable[[], Recipient]) -> None:
    for path in (link(person(), "unsubscribe"), link(person(), "preferences"), "/u/none"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in headers["Cache-Control"]
    page = client.get(link(person(), "preferences")).text
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


def test_a_revoked_or_erased_recipients_link_is_dead(
    client: FlaskClient, person: Callable[[], Recipient], sqlite_engine: Engine, now: datetime
) -> None:
    first = link(person(), "unsubscribe")
    with session_scope(sqlite_engine) as session:
        revoke_links(session, get_recipient(session, ADDRESS), now, "test")
    second = link(person(), "unsubscribe")
    assert [client.get(path).status_code for path in (first, second)] == [404, 200]
    with session_scope(sqlite_engine) as session:
        erase(session, ADDRESS, now, "test")
    assert client.get(second).status_code == 404


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_secret_no_link_works(
    client: FlaskClient, person: Callable[[], Recipient], monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    path = link(person(), "unsubscribe")
    monkeypatch.setenv("PARKNEWS_WEB_SECRET", secret)
    assert client.post(path).status_code == 404
    assert person().unsubscribed_at is None


def test_a_database_that_fails_gives_503_without_a_trace(
    client: FlaskClient, person: Callable[[], Recipient], sqlite_engine: Engine
) -> None:
    path = link(person(), "unsubscribe")
    with session_scope(sqlite_engine) as session:
        session.execute(text("DROP TABLE audit"))
    response: Any = client.post(path)
    assert response.status_code == 503
    assert "audit" not in response.text
