"""Who may read the archive: editors and holders of a personal link; everybody when it is declared public. And who did."""

from __future__ import annotations

import logging

from flask import Response, abort, after_this_request, current_app, g, request

from digest.tokens import MIN_SECRET, read_token
from digest.web import visitor
from store.config import Config, ConfigError, secret
from store.database import read_scope
from store.recipients import find_by_token_key

#: Holds the archive token of a personal link, so that links between pages need not carry it.
COOKIE = "parknews_archive"
#: Pages that look after their own door.
_OTHER_DOORS = {"recipients", "login", "status", "desk"}
_log = logging.getLogger(__name__)


def refuse_strangers() -> None:
    """Before every request: 403 for an archive page without a valid personal link or login, unless the archive is public."""
    config: Config = current_app.config["PARKNEWS"]
    if request.endpoint in {None, "static"} or request.blueprint in _OTHER_DOORS or config.web.public_archive:
        return
    given = request.args.get("k", "") or request.cookies.get(COOKIE, "")
    if not (given and _is_valid(given)) and not visitor.editor():
        abort(403)
    if request.args.get("k"):
        _remember(given)


def log_access(response: Response) -> Response:
    """After every request: one line without addresses of pages, since those of recipients are keys."""
    rule = request.url_rule.rule if request.url_rule else "-"
    _log.info(
        "%s %s %s %s %d",
        visitor.address(),
        g.get("editor") or "-",
        request.method,
        rule,
        response.status_code,
    )
    return response


def _is_valid(token: str) -> bool:
    try:
        key = secret("web_secret")
    except ConfigError:
        return False
    if len(key) < MIN_SECRET or (token_key := read_token(key, token, "archive")) is None:
        return False
    with read_scope(current_app.config["ENGINE"]) as session:
        recipient = find_by_token_key(session, token_key)
    return recipient is not None and recipient.active and recipient.origin != "erased"


def _remember(token: str) -> None:
    secure = visitor.is_https()

    @after_this_request
    def _set(response: Response) -> Response:
        if _is_valid(token):
            response.set_cookie(
                COOKIE, token, max_age=90 * 86400, httponly=True, samesite="Lax", secure=secure
            )
        return response
