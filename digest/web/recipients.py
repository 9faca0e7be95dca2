"""A recipient's own pages behind a personal link: leaving, coming back, preferences. GET only shows, POST acts.

Mail scanners open every link, so GET changes nothing; mail programs post without asking (RFC 8058), so POST needs nothing but
the link. Whoever holds the link is the recipient: a link that is none looks like a page that does not exist.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, request

from digest.names import Names, load_names
from digest.rendering import environment_for
from digest.tokens import MIN_SECRET, Purpose, read_token
from store.config import Config, ConfigError, secret
from store.database import Session, SQLAlchemyError, read_scope, session_scope
from store.models import Recipient
from store.recipients import find_by_token_key, resubscribe, set_preferences, unsubscribe

blueprint = Blueprint("recipients", __name__)
_LISTS = ("themes", "provinces", "zones")
#: Fields one form may have: every zone, theme and province ticked, and as many again.
_MAX_FIELDS = 1000
_log = logging.getLogger(__name__)


@blueprint.get("/u/<token>")
def show_unsubscribe(token: str) -> Response:
    """Ask whether to leave, or tell that it has happened."""
    with _reading(token, "unsubscribe") as recipient:
        return _unsubscribe_page(token, recipient)


@blueprint.post("/u/<token>")
def act_unsubscribe(token: str) -> Response:
    """Leave, or come back when `action=resubscribe` is posted. Idempotent; one-click posts get a line of plain text."""
    with _writing(token, "unsubscribe") as (session, recipient):
        if request.form.get("action") == "resubscribe":
            done = resubscribe(session, recipient, datetime.now(UTC))
        else:
            done = unsubscribe(session, recipient, datetime.now(UTC))
        _log.info(
            "recipient %d: %s by link, changed: %s", recipient.id, request.form.get("action", "")[:20], done
        )
        if request.form.get("List-Unsubscribe") == "One-Click":
            return Response("unsubscribed\n", mimetype="text/plain")
        return _unsubscribe_page(token, recipient)


@blueprint.get("/p/<token>")
def show_preferences(token: str) -> Response:
    """Show the form with the present wishes."""
    with _reading(token, "preferences") as recipient:
        return _preferences_page(token, recipient, saved=False)


@blueprint.post("/p/<token>")
def act_preferences(token: str) -> Response:
    """Keep the wishes as posted; what is not in the vocabulary is left out."""
    wishes = _posted_wishes(load_names(_config()))
    with _writing(token, "preferences") as (session, recipient):
        set_preferences(session, recipient, wishes, datetime.now(UTC))
        _log.info("recipient %d: preferences by link", recipient.id)
        return _preferences_page(token, recipient, saved=True)


def _config() -> Config:
    config: Config = current_app.config["PARKNEWS"]
    return config


def _key_of(token: str, purpose: Purpose) -> str:
    """Return the recipient's key a token was made of; 404 for anything else, also while no secret is set."""
    try:
        web_secret = secret("web_secret")
    except ConfigError:
        web_secret = ""
    if len(web_secret) < MIN_SECRET:
        _log.error("personal links need PARKNEWS_WEB_SECRET with %d characters or more", MIN_SECRET)
        abort(404)
    key = read_token(web_secret, token, purpose)
    if key is None:
        abort(404)
    return key


def _known(session: Session, key: str) -> Recipient:
    recipient = find_by_token_key(session, key)
    if recipient is None or recipient.origin == "erased":
        abort(404)
    return recipient


@contextmanager
def _reading(token: str, purpose: Purpose) -> Iterator[Recipient]:
    key = _key_of(token, purpose)
    with _patience(), read_scope(current_app.config["ENGINE"]) as session:
        yield _known(session, key)


@contextmanager
def _writing(token: str, purpose: Purpose) -> Iterator[tuple[Session, Recipient]]:
    key = _key_of(token, purpose)
    with _patience(), session_scope(current_app.config["ENGINE"]) as session:
        yield session, _known(session, key)


@contextmanager
def _patience() -> Iterator[None]:
    """Answer 503 when the database does not: mail programs then try their one-click again."""
    try:
        yield
    except SQLAlchemyError:
        _log.exception("a recipient's page could not be served")
        abort(503)


def _posted_wishes(names: Names) -> dict[str, Any]:
    choices = _choices(names)
    form = request.form
    if sum(len(form.getlist(key)) for key in _LISTS) > _MAX_FIELDS:
        abort(413)
    wishes: dict[str, Any] = {
        key: [value for value in dict.fromkeys(form.getlist(key)) if value in choices[key]] for key in _LISTS
    }
    return wishes | {flag: form.get(flag) == "1" for flag in ("word", "send_empty")}


def _choices(names: Names) -> dict[str, Mapping[str, str]]:
    provinces = dict.fromkeys(sorted(set(filter(None, names.provinces.values()))), "")
    return {"themes": names.themes, "provinces": provinces, "zones": names.provinces}


def _zones_by_province(names: Names) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for zone, province in names.provinces.items():
        grouped.setdefault(province or "其他", []).append(zone)
    return dict(sorted(grouped.items()))


def _unsubscribe_page(token: str, recipient: Recipient) -> Response:
    context = {
        "path": f"/u/{token}",
        "left": recipient.unsubscribed_at is not None,
        "active": recipient.active,
    }
    return _page("unsubscribe", recipient, context)


def _preferences_page(token: str, recipient: Recipient, *, saved: bool) -> Response:
    names = load_names(_config())
    chosen = {key: frozenset(getattr(recipient, key)) for key in _LISTS}
    context = {
        "path": f"/p/{token}",
        "saved": saved,
        "themes": names.themes,
        "provinces": list(_choices(names)["provinces"]),
        "zones": _zones_by_province(names),
        "chosen": chosen,
        "word": recipient.word,
        "send_empty": recipient.send_empty,
    }
    return _page("preferences", recipient, context)


def masked(address: str) -> str:
    """Return an address its owner knows again and nobody else reads: z***@example.cn."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _page(name: str, recipient: Recipient, context: Mapping[str, Any]) -> Response:
    config = _config()
    values = {
        "office": config.office,
        "stylesheet": "/static/digest.css",
        "css": "",
        "home": "",
        "address": masked(recipient.address),
        **context,
    }
    html = environment_for(config).get_template(f"confirm/{name}.html").render(values)
    return Response(html, mimetype="text/html")
