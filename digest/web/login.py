"""The editors' door: log in, log out. Attempts are counted in the database, so that restarting us opens nothing."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, redirect, request

from digest.rendering import render_view
from digest.web import visitor
from store.config import Config
from store.database import Engine, read_scope, session_scope
from store.editors import (
    SESSION_LASTS,
    WINDOW,
    begin_attempt,
    end_session,
    is_password,
    may_try,
    password_hash_of,
    settle_attempt,
)
from store.text import clean_line

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

blueprint = Blueprint("login", __name__)
#: Where a login may lead: a word in the form, so that no address of somebody else's gets in.
PLACES = {"desk": "/editor/", "status": "/status", "archive": "/"}
_log = logging.getLogger(__name__)


@blueprint.get("/login")
def show_login() -> Response:
    """The form."""
    return _form("", 200)


@blueprint.post("/login")
def log_in() -> AnyResponse:
    """Open a session and go on; 401 for a wrong name or password, 429 after too many of them."""
    word = request.cookies.get(visitor.FORM, "")
    if not word:
        abort(403)
    visitor.check_csrf(word)
    account, password = request.form.get("name", ""), request.form.get("password", "")
    key = _try(current_app.config["ENGINE"], account, password)
    if isinstance(key, Response):
        return key
    answer = redirect(_place(), code=303)
    _set_cookie(answer, visitor.SESSION, key, int(SESSION_LASTS.total_seconds()))
    answer.delete_cookie(visitor.FORM, path="/")
    return answer


@blueprint.post("/logout")
def log_out() -> AnyResponse:
    """End the session; GET does nothing, so that a link or picture elsewhere cannot."""
    visitor.check_csrf()
    with session_scope(current_app.config["ENGINE"]) as session:
        end_session(session, visitor.session_key())
    answer = redirect("/login", code=303)
    answer.delete_cookie(visitor.SESSION, path="/")
    return answer


def require_editor() -> AnyResponse | None:
    """Before a page of the editors: to the login for who reads, 403 for who posts, nothing for an editor."""
    if visitor.editor():
        if request.method not in {"GET", "HEAD"}:
            visitor.check_csrf()
        return None
    if request.method in {"GET", "HEAD"}:
        return redirect(f"/login?to={'status' if request.path == '/status' else 'desk'}", code=303)
    return abort(403)


def _try(engine: Engine, account: str, password: str) -> str | Response:
    now, address = visitor.now(), visitor.address()
    with session_scope(engine) as session:
        number = begin_attempt(session, account, address, now)
    with session_scope(engine) as session:
        if not may_try(session, number, now):
            _log.warning("login refused, too many attempts, from %s", address)
            return _form(f"尝试次数过多，请{int(WINDOW.total_seconds()) // 60}分钟后再试。", 429)
    with read_scope(engine) as session:
        kept = password_hash_of(session, account)
    right = is_password(password, kept)
    with session_scope(engine) as session:
        key = settle_attempt(session, number, right=right, now=now)
    if key is None:
        _log.warning("login failed from %s", address)
        return _form("用户名或密码不对。", 401)
    _log.info("login of editor %s from %s", clean_line(account), address)
    return key


def _form(problem: str, status: int) -> Response:
    word = secrets.token_urlsafe(16)
    config: Config = current_app.config["PARKNEWS"]
    given = request.values.get("to", "")
    context = {
        "home": "",
        "problem": problem,
        "token": visitor.csrf_token(word),
        "to": given if given in PLACES else "desk",
    }
    answer = Response(render_view("login", config, context), status=status, mimetype="text/html")
    if status == 429:
        answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
    _set_cookie(answer, visitor.FORM, word, 3600)
    return answer


def _place() -> str:
    return PLACES.get(request.form.get("to", ""), PLACES["desk"])


def _set_cookie(answer: AnyResponse, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="Strict", secure=visitor.is_https()
    )
