"""Bad input at the web: every field, header, address and cookie given what nobody means well with."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from digest.issue import compose_issue
from digest.tokens import make_token
from digest.web.app import create_app
from store.config import Config, RecipientEntry, Web
from store.database import session_scope
from store.models import Audit, Recipient, Story
from store.recipients import add_recipient
from tests.digest.hostile_values import BAD_ADDRESSES, BAD_URLS, TEXTS

SECRET = "a secret for the tests, long enough"
CONFIG = Config(web=Web(proxy="127.0.0.1", trust_proxy_user="X-Remote-User"))
EDITOR = {"X-Remote-User": "editor"}
#: Values as a browser can send them: no lone surrogates, and short enough for a form.
VALUES = [
    value[:20_000].encode("utf-8", "replace").decode()
    for value in dict.fromkeys([*TEXTS, *BAD_ADDRESSES, *BAD_URLS])
]
#: Words that stand in nobody else's pages.
OTHERS = ("other@example.cn", "李四", "o***@example.cn")


@pytest.fixture
def keys(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> dict[str, str]:
    with session_scope(sqlite_engine) as session:
        for text in TEXTS[::20]:
            add_story(session, now, title=text.encode("utf-8", "replace").decode()[:200] or "无题")
        mine = add_recipient(session, RecipientEntry(address="zhang@example.cn", name="张三"), now, "test")
        add_recipient(session, RecipientEntry(address="other@example.cn", name="李四"), now, "test")
        key = mine.token_key
    assert compose_issue(sqlite_engine, Config(), now)
    purposes: tuple[Any, ...] = ("unsubscribe", "preferences", "archive")
    return {purpose: make_token(SECRET, key, purpose) for purpose in purposes}


@pytest.fixture
def client(
    sqlite_engine: Engine, keys: dict[str, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    monkeypatch.setenv("PARKNEWS_WEB_SECRET", SECRET)
    return create_app(sqlite_engine, CONFIG, lambda: now).test_client()


def sound(answer: TestResponse, asked: object) -> TestResponse:
    """Hold an answer to what is true of all: no fault of ours, no code, no running script, no header from the outside."""
    assert answer.status_code < 500, asked
    assert "Traceback" not in answer.text
    assert not re.search(
        r"<script|\son\w+=[\"']?alert|(?:href|src|action)=[\"']?(?:javascript|data):", answer.text
    ), asked
    assert "X-Injected" not in answer.headers
    assert "Bcc" not in answer.headers
    assert answer.headers.getlist("Content-Security-Policy") != []
    assert len(answer.headers.getlist("Content-Type")) == 1
    location = answer.headers.get(
        "Location", "/"
    )  # doubled slashes within a path are sent to the same host with one
    assert not location.removeprefix("http://localhost/").startswith(("//", "http", "javascript"))
    return answer


def test_there_are_enough_of_them() -> None:
    assert len(VALUES) >= 300


def test_hostile_words_are_looked_for_and_shown_as_words(client: FlaskClient, keys: dict[str, str]) -> None:
    """bad input in a search: looked for as it is, shown as text."""
    fields = ("q", "zone", "theme", "outlet", "since", "until", "page")
    for number, value in enumerate(VALUES[::2]):
        query = {fields[number % len(fields)]: value, "k": keys["archive"]}
        assert sound(client.get("/search", query_string=query), value).status_code == 200


def test_hostile_keys_open_nothing(client: FlaskClient) -> None:
    """bad input for a key: refused, and nothing told about whose it may be."""
    for value in VALUES:
        answer = sound(client.get("/", query_string={"k": value}), value)
        assert answer.status_code == 403
        path = quote(value[:2000], safe="")
        for door in ("/u/", "/p/", "/issues/", "/stories/", "/"):
            answer = sound(client.get(f"{door}{path}", query_string={"k": value}), value)
            assert answer.status_code in {308, 400, 403, 404, 405}, (door, value)
            assert not [word for word in OTHERS if word in answer.text]


def test_hostile_headers_and_cookies_are_nobodys(client: FlaskClient) -> None:
    """bad input in headers and cookies: of no effect."""
    for value in VALUES:
        latin = re.sub(r"[\r\n]", "", value[:3000]).encode().decode("latin-1")
        for name in (
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "Authorization",
            "Referer",
            "User-Agent",
            "Cookie",
            "Host",
        ):
            answer = sound(client.get("/status", headers={name: latin}), (name, value))
            assert answer.status_code in {303, 400}


def test_hostile_logins_are_refused(client: FlaskClient) -> None:
    """bad input at the login: refused like a wrong password, and after ten of them not even looked at."""
    codes = set()
    for value in VALUES[::12]:
        token = re.search(r'name="token" value="(\w+)"', client.get("/login").text)
        assert token
        data = {"name": value, "password": value, "to": value, "token": token[1]}
        codes.add(sound(client.post("/login", data=data), value).status_code)
    assert {401, 429} <= codes <= {401, 413, 429}


def test_hostile_decisions_at_the_desk_are_text_or_refused(
    client: FlaskClient, sqlite_engine: Engine
) -> None:
    """bad input of an editor: kept as text or refused with a reason; without the form's own token nothing happens."""
    token = re.search(r'name="token" value="(\w+)"', client.get("/status", headers=EDITOR).text)
    assert token
    kinds = ("note", "retitle", "summary", "move", "drop", "pin", "erratum")
    for number, value in enumerate(VALUES[::7]):
        data = {"kind": kinds[number % 7], "story": "1", "value": value, "reason": value, "token": token[1]}
        sound(client.post("/editor/edit", data=data, headers=EDITOR), value)
        sound(client.post("/editor/merge", data=data | {"other": value}, headers=EDITOR), value)
        sound(client.post("/editor/undo", data=data | {"edit": value}, headers=EDITOR), value)
        for bad in (value, "", token[1].upper()):
            assert client.post("/editor/edit", data=data | {"token": bad}, headers=EDITOR).status_code == 403
    sound(client.get("/editor/", headers=EDITOR), "the desk")
    for form in ("mail", "text", "page"):
        assert "<script" not in client.get(f"/editor/form/{form}", headers=EDITOR).text
    with session_scope(sqlite_engine) as session:
        assert set(session.scalars(select(Audit.who).where(Audit.what.like("edit.%")))) <= {"editor"}


def test_hostile_wishes_change_one_recipient_only(
    client: FlaskClient, keys: dict[str, str], sqlite_engine: Engine
) -> None:
    """bad input in a recipient's form: what is not in the vocabulary is left out, and no other recipient is touched."""
    for begin in range(0, len(VALUES), 40):
        some = [value[:1000] for value in VALUES[begin : begin + 40]]
        data = {
            "zones": some,
            "themes": some,
            "provinces": some,
            "address": some[0],
            "id": "2",
            "action": some[0],
        }
        for door, purpose in (("/p/", "preferences"), ("/u/", "unsubscribe")):
            answer = sound(client.post(f"{door}{keys[purpose]}", data=data), some)
            assert not [word for word in OTHERS if word in answer.text]
    with session_scope(sqlite_engine) as session:
        other = session.scalars(select(Recipient).where(Recipient.address == "other@example.cn")).one()
        assert (other.unsubscribed_at, other.zones, other.themes) == (None, [], [])


@given(
    path=st.text(st.characters(codec="utf-8"), max_size=60),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    form=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), st.text(st.characters(codec="utf-8"), max_size=60)),
)  # fmt: skip
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_request_at_all_is_answered(
    client: FlaskClient, path: str, method: str, form: dict[str, str]
) -> None:
    """bad input of any kind: an answer below 500 in our own words."""
    sound(
        client.open(f"/{quote(path.lstrip('/'))}", method=method, data=form if method != "GET" else None),
        (method, path),
    )
