"""Who is asking: the address behind a reverse proxy, and the editor that a session or that proxy vouches for."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import abort, current_app, g, request

from store.config import Config
from store.database import read_scope
from store.editors import LONGEST_NAME, editor_of
from store.text import clean_line

#: Holds the key of an editor's session.
SESSION = "parknews_session"
#: Holds a random word while nobody is logged in yet, so that the login form has a CSRF token too.
FORM = "parknews_form"
_FORWARDED = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip")
_LOOPBACK_NAMES = {"localhost"}
#: Makes the CSRF tokens of visitors who have no session of ours; new at every start.
_process_key = secrets.token_bytes(32)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return host in _LOOPBACK_NAMES


def address() -> str:
    """Return the address of the visitor: the peer, or whom the configured proxy names last in X-Forwarded-For."""
    peer = request.remote_addr or ""
    if not _by_proxy():
        return peer
    named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(named))
    except ValueError:
        return peer


def is_neighbour() -> bool:
    """Return whether the visitor is on this machine and nobody passes the request on for somebody else."""
    return is_loopback(request.remote_addr or "") and not any(name in request.headers for name in _FORWARDED)


def is_https() -> bool:
    """Return whether the visitor's connection is known to be encrypted."""
    forwarded = request.headers.get("X-Forwarded-Proto", "") if _by_proxy() else ""
    return request.is_secure or forwarded == "https" or _config().digest.public_url.startswith("https:")


def editor() -> str | None:
    """Return the name of the editor who is asking, None for anybody else; looked up once a request."""
    if "editor" not in g:
        g.editor = _proxy_user() or _session_user()
    found: str | None = g.editor
    return found


def session_key() -> str:
    """Return the key of the visitor's session, "" without one."""
    return request.cookies.get(SESSION, "")


def csrf_token(word: str = "") -> str:
    """Return what every form of this visitor must bring along; `word` is the login form's own random word."""
    base = word or (f"user {_proxy_user()}" if _proxy_user() else f"session {session_key()}")
    return hmac.new(_process_key, base.encode("utf-8", "replace"), "sha256").hexdigest()


def check_csrf(word: str = "") -> None:
    """403 unless the form was made by us for this visitor."""
    if not hmac.compare_digest(
        request.form.get("token", "").encode("utf-8", "replace"), csrf_token(word).encode()
    ):
        abort(403)


def now() -> datetime:
    """Return the application's moment."""
    clock: Callable[[], datetime] = current_app.config["CLOCK"]
    return clock()


def _by_proxy() -> bool:
    proxy = _config().web.proxy
    return bool(proxy) and request.remote_addr == proxy


def _proxy_user() -> str:
    header = _config().web.trust_proxy_user
    if not header or not _by_proxy():
        return ""
    raw = request.headers.get(header, "")
    try:
        raw = raw.encode("latin-1").decode("utf-8")  # WSGI hands bytes over as Latin-1
    except UnicodeError:
        return ""
    return clean_line(raw)[:LONGEST_NAME]


def _session_user() -> str | None:
    key = session_key()
    if not key:
        return None
    with read_scope(current_app.config["ENGINE"]) as session:
        return editor_of(session, key, now())


def _config() -> Any:
    config: Config = current_app.config["PARKNEWS"]
    return config
