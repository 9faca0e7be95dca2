"""Who may read the archive: everybody who reaches a loopback server, else the holder of a personal link."""

from __future__ import annotations

from flask import Response, abort, after_this_request, current_app, request

from digest.tokens import MIN_SECRET, read_token
from store.config import Config, ConfigError, secret
from store.database import read_scope
from store.recipients import find_by_token_key

#: Holds the archive token of a personal link, so that links between pages need not carry it.
COOKIE = "parknews_archive"
_OPEN_PATHS = ("/static/", "/u/", "/p/", "/healthz", "/metrics")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def refuse_strangers() -> None:
    """Before every request: 403 for an archive page without a valid personal link, once the archive has a public address."""
    config: Config = current_app.config["PARKNEWS"]
    if request.path.startswith(_OPEN_PATHS) or not is_public(config):
        return
    given = request.args.get("k", "") or request.cookies.get(COOKIE, "")
    if not _is_valid(given):
        abort(403)
    if request.args.get("k"):
        _remember(given, secure=config.digest.public_url.startswith("https:"))


def is_public(config: Config) -> bool:
    """Return whether others than this machine's users can be expected: a public address or a listening one."""
    return bool(config.digest.public_url) or config.web.host not in _LOOPBACK


def _is_valid(token: str) -> bool:
    try:
        key = secret("web_secret")
    except ConfigError:
        return False
    if len(key) < MIN_SECRET or (token_key := read_token(key, token, "archive")) is None:
        return False
    with read_scope(current_app.config["ENGINE"]) as session:
        return find_by_token_key(session, token_key) is not None


def _remember(token: str, *, secure: bool) -> None:
    @after_this_request
    def _set(response: Response) -> Response:
        response.set_cookie(COOKIE, token, max_age=90 * 86400, httponly=True, samesite="Lax", secure=secure)
        return response
