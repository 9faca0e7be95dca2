"""Who may read the archive: editors and holders of a personal link; everybody when it is declared public. And who did.

The page of one issue also opens by that issue's key, as it stands in a group's chat; then it leads to no other page of ours.
"""

from __future__ import annotations

import logging

from flask import Response, abort, after_this_request, current_app, g, request

from digest.tokens import MIN_SECRET, opens_issue, read_token
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
    given = request.args.get("k", "")
    if given and _is_valid(given):
        _remember(given)
    elif not _is_valid(request.cookies.get(COOKIE, "")) and not visitor.editor():
        if not _opens_this_issue(given):
            abort(403)
        g.this_issue_only = True


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


def _opens_this_issue(key: str) -> bool:
    return request.endpoint == "archive.issue" and opens_issue(
        _secret(), key, (request.view_args or {})["number"]
    )


def _secret() -> str:
    try:
        return secret("web_secret")
    except ConfigError:
        return ""


def _is_valid(token: str) -> bool:
    key = _secret()
    if len(key) < MIN_SECRET or (token_key := read_token(key, token, "archive")) is None:
        return False
    with read_scope(current_app.config["ENGINE"]) as session:
        recipient = find_by_token_key(session, token_key)
    return recipient is not None and recipient.active and recipient.origin != "erased"


def _remember(token: str) -> None:
    secure = visitor.is_https()

    @after_this_request
    def _set(response: Response) -> Response:
        response.set_cookie(COOKIE, token, max_age=90 * 86400, httponly=True, samesite="Lax", secure=secure)
        return response
