"""The editors' door: who gets in, how long, from where, and who does not."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from digest.web.app import create_app
from store import editors
from store.config import Config, DigestSection, Web
from store.database import session_scope
from store.editors import LoginAttempt, add_editor, begin_attempt, remove_editor, set_password, settle_attempt
from store.models import Audit, Story

PASSWORD = "correct horse battery 电池"
EDITORS_PAGES = ("/editor/", "/editor/form/mail", "/status")


class Visitor:
    """A browser at the door."""

    def __init__(self, engine: Engine, config: Config, clock: Callable[[], datetime]) -> None:
        self.client: FlaskClient = create_app(engine, config, clock).test_client()

    def log_in(self, name: str = "王编辑", password: str = PASSWORD, **options: Any) -> TestResponse:
        form = self.client.get("/login", **options).text
        data = {"name": name, "password": password, "token": token_of(form)}
        return self.client.post("/login", data=data, **options)


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs a quarter of a second, which is the point of it but not of these tests."""
    monkeypatch.setattr(editors, "COST", (2, 8, 1))


@pytest.fixture
def moments(now: datetime) -> list[datetime]:
    return [now]


@pytest.fixture
def visit(sqlite_engine: Engine, moments: list[datetime]) -> Callable[..., Visitor]:
    with session_scope(sqlite_engine) as session:
        add_editor(session, "王编辑", PASSWORD, moments[0], "test")
    return lambda config=None: Visitor(sqlite_engine, config or Config(), lambda: moments[0])


@pytest.fixture
def told(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> None:
    with session_scope(sqlite_engine) as session:
        add_story(session, now)


def test_a_stranger_sees_nothing_but_the_door(visit: Callable[..., Visitor]) -> None:
    client = visit().client
    for path in EDITORS_PAGES:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"][:10]) == (303, "/login?to=")
    for path in ("/", "/issues/1", "/issues/1/briefing.docx", "/stories/1", "/search?q=党建"):
        assert client.get(path).status_code == 403
    for path in ("/editor/edit", "/editor/undo", "/editor/merge", "/editor/split", "/logout"):
        assert client.post(path, data={"kind": "hold", "token": "x"}).status_code == 403
    assert client.get("/static/digest.css").status_code == 200
    assert client.get("/login").status_code == 200


def test_an_editor_logs_in_works_and_logs_out(
    visit: Callable[..., Visitor], told: None, sqlite_engine: Engine
) -> None:
    visitor = visit()
    answer = visitor.log_in()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/editor/")
    for path in (*EDITORS_PAGES, "/", "/search?q=党建"):
        assert visitor.client.get(path).status_code == 200
    page = visitor.client.get("/editor/").text
    assert "王编辑" in page
    data = {"token": token_of(page), "kind": "pin", "story": 1}
    assert visitor.client.post("/editor/edit", data=data).headers["Location"] == "/editor/#story-1"
    assert visitor.client.post("/editor/edit", data=data | {"token": "0" * 64}).status_code == 403
    assert visitor.client.get("/logout").status_code == 405
    assert visitor.client.post("/logout", data={"token": token_of(page)}).status_code == 303
    assert visitor.client.get("/status").status_code == 303
    with session_scope(sqlite_engine) as session:
        acts = session.execute(select(Audit.who, Audit.what).order_by(Audit.id)).all()
    assert [tuple(act) for act in acts] == [
        ("test", "editor.add"),
        ("王编辑", "editor.login"),
        ("王编辑", "edit.pin"),
    ]


def test_the_session_is_a_strict_http_only_cookie_and_secure_under_https(
    visit: Callable[..., Visitor],
) -> None:
    cookie = next(value for value in visit().log_in().headers.getlist("Set-Cookie") if "session" in value)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie
    public = visit(Config(digest=DigestSection(public_url="https://digest.example.cn")))
    cookies = public.log_in(base_url="https://digest.example.cn").headers.getlist("Set-Cookie")
    assert all("Secure" in value for value in cookies if "Max-Age=0" not in value)


@pytest.mark.parametrize(
    ("name", "password"),
    [("王编辑", "wrong"), ("王编辑", ""), ("nobody", PASSWORD), ("", ""), ("王编辑\0x", PASSWORD), ("王编辑", PASSWORD + " "),
     ("王编辑", "x" * 60_000), ("' OR 1=1 --", "' OR 1=1 --"), ("\ud800".encode("utf-8", "replace").decode(), "\x00")],
)  # fmt: skip
def test_what_is_not_name_and_password_opens_nothing(
    visit: Callable[..., Visitor], name: str, password: str
) -> None:
    visitor = visit()
    answer = visitor.log_in(name, password)
    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text
    assert not [value for value in answer.headers.getlist("Set-Cookie") if "session" in value]
    assert visitor.client.get("/status").status_code == 303


def test_a_login_form_made_elsewhere_is_refused(visit: Callable[..., Visitor]) -> None:
    data = {"name": "王编辑", "password": PASSWORD}
    visitor = visit()
    assert visitor.client.post("/login", data=data).status_code == 403
    token = token_of(visit().client.get("/login").text)
    assert visitor.client.post("/login", data=data | {"token": token}).status_code == 403
    visitor.client.get("/login")
    assert visitor.client.post("/login", data=data | {"token": token}).status_code == 403


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "x", ""])
def test_a_login_leads_only_to_our_own_pages(visit: Callable[..., Visitor], to: str) -> None:
    visitor = visit()
    page = visitor.client.get("/login", query_string={"to": to}).text
    assert "evil" not in page
    data = {"name": "王编辑", "password": PASSWORD, "token": token_of(page), "to": to}
    assert visitor.client.post("/login", data=data).headers["Location"] == "/editor/"


def test_an_address_that_fails_ten_times_is_shut_out_for_a_quarter_of_an_hour(
    visit: Callable[..., Visitor], moments: list[datetime]
) -> None:
    visitor = visit()
    assert [visitor.log_in(password="wrong").status_code for _ in range(10)] == [401] * 10
    refused = visitor.log_in()
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    other: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert visitor.log_in(**other).status_code == 303
    assert visit().log_in().status_code == 429  # a restart forgets nothing
    moments[0] += timedelta(minutes=16)
    assert visitor.log_in().status_code == 303


def test_an_account_tried_from_everywhere_is_shut_too(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    codes = [
        visitor.log_in(password="wrong", environ_overrides={"REMOTE_ADDR": f"192.0.2.{n}"}).status_code
        for n in range(22)
    ]
    assert codes == [401] * 20 + [429] * 2


def test_a_flood_of_refused_attempts_does_not_fill_the_database(
    sqlite_engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editors, "MAX_REFUSED", 5)
    with session_scope(sqlite_engine) as session:
        for _ in range(40):
            attempt = begin_attempt(session, "王编辑", "192.0.2.1", now)
            if editors.may_try(session, attempt, now):
                settle_attempt(session, attempt, right=False, now=now)
        outcomes = list(session.scalars(select(LoginAttempt.outcome)))
    assert (outcomes.count("failed"), outcomes.count("refused")) == (10, 5)


def test_attempts_at_once_are_counted_before_any_is_settled(engine: Engine, now: datetime) -> None:
    with session_scope(engine) as session:
        numbers = [begin_attempt(session, f"name{n}", "192.0.2.1", now) for n in range(12)]
    with session_scope(engine) as session:
        assert [editors.may_try(session, number, now) for number in numbers].count(True) <= 10
        assert settle_attempt(session, numbers[-1], right=True, now=now) is None


def test_a_session_ends_with_its_time_its_password_and_its_account(
    visit: Callable[..., Visitor], sqlite_engine: Engine, moments: list[datetime]
) -> None:
    visitor = visit()
    visitor.log_in()
    moments[0] += timedelta(hours=13)
    assert visitor.client.get("/status").status_code == 303
    visitor.log_in()
    with session_scope(sqlite_engine) as session:
        set_password(session, "王编辑", "another long password", moments[0], "test")
    assert visitor.client.get("/status").status_code == 303
    visitor.log_in(password="another long password")
    assert visitor.client.get("/status").status_code == 200
    with session_scope(sqlite_engine) as session:
        remove_editor(session, "王编辑", moments[0], "test")
    assert visitor.client.get("/status").status_code == 303


@pytest.mark.parametrize("key", ["", "x", "x" * 43, "é" * 10, "x" * 3000, '"'])
def test_a_made_up_session_is_none(visit: Callable[..., Visitor], key: str) -> None:
    client = visit().client
    client.set_cookie("parknews_session", key)
    assert client.get("/status").status_code == 303


def test_a_proxys_user_is_believed_only_from_the_proxy_and_when_told(
    visit: Callable[..., Visitor], told: None
) -> None:
    headers = {"X-Remote-User": "李编辑".encode().decode("latin-1"), "X-Forwarded-For": "203.0.113.9"}
    proxied = Config(web=Web(proxy="192.0.2.1", trust_proxy_user="X-Remote-User"))
    there = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}, "headers": headers}
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.2"}, "headers": headers}
    assert visit().client.get("/status", **there).status_code == 303
    assert visit(Config(web=Web(proxy="192.0.2.1"))).client.get("/status", **there).status_code == 303
    client = visit(proxied).client
    assert client.get("/status", **elsewhere).status_code == 303
    page = client.get("/editor/", **there)
    assert "李编辑" in page.text
    data = {"token": token_of(page.text), "kind": "pin", "story": 1}
    assert client.post("/editor/edit", data=data, **there).status_code == 303
    assert client.post("/editor/edit", data=data | {"token": ""}, **there).status_code == 403


def test_the_archive_is_open_only_when_declared_so(visit: Callable[..., Visitor]) -> None:
    client = visit(Config(web=Web(public_archive=True))).client
    assert client.get("/").status_code == 200
    for path in EDITORS_PAGES:
        assert client.get(path).status_code == 303


def test_the_access_log_names_no_keys(
    visit: Callable[..., Visitor], caplog: pytest.LogCaptureFixture
) -> None:
    client = visit().client
    with caplog.at_level(logging.INFO, "digest"):
        for path in (
            "/u/a-secret-token",
            "/p/a-secret-token",
            "/?k=a-secret-token",
            "/no/a-secret-token%0aforged",
        ):
            client.get(path)
        visit().log_in(password="a-secret-token")
    assert "GET /u/<token> 404" in caplog.text
    assert "secret-token" not in caplog.text
    assert "forged" not in caplog.text


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaaaa"])
def test_a_weak_password_makes_no_account(sqlite_engine: Engine, now: datetime, password: str) -> None:
    with session_scope(sqlite_engine) as session, pytest.raises(editors.EditorError):
        add_editor(session, "李编辑", password, now, "test")


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\0b", "a\u202e", "长" * 65])
def test_a_name_nobody_can_read_makes_no_account(sqlite_engine: Engine, now: datetime, name: str) -> None:
    with (
        session_scope(sqlite_engine) as session,
        pytest.raises(editors.EditorError, match="no editor's name"),
    ):
        add_editor(session, name, PASSWORD, now, "test")


def test_the_database_holds_neither_password_nor_session(
    visit: Callable[..., Visitor], sqlite_engine: Engine, tmp_path: Path
) -> None:
    visitor = visit()
    visitor.log_in()
    cookie = visitor.client.get_cookie("parknews_session")
    assert cookie
    written = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert "王编辑".encode() in written
    assert PASSWORD.encode() not in written
    assert cookie.value.encode() not in written
    with session_scope(sqlite_engine) as session:
        assert session.scalars(select(LoginAttempt.outcome)).all() == ["ok"]
