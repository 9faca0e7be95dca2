"""The web application: archive, search, pages of facts, recipients' pages. Nothing on it runs script or loads from outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, request

from digest.web import access, archive, login, recipients, status, visitor
from digest.web.frame import base_app
from digest.web.preview import Desk
from store.config import Config
from store.database import Engine

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


def create_app(engine: Engine, config: Config, now: Callable[[], datetime] | None = None) -> Flask:
    """Return the WSGI application: the archive, the recipients' own pages, the editors' desk, the status. `now` is the clock."""
    app = base_app(engine, config)
    app.config["CLOCK"] = clock = now or _utc_now
    desk = Desk(engine, config, clock, lambda: visitor.editor() or "", visitor.csrf_token, "/editor")
    for blueprint in (
        archive.blueprint,
        recipients.blueprint,
        login.blueprint,
        status.blueprint,
        desk.blueprint(),
    ):
        app.register_blueprint(blueprint)
    app.before_request(access.refuse_strangers)
    app.before_request(_refuse_to_others_than_editors)
    app.after_request(access.log_access)
    return app


def _refuse_to_others_than_editors() -> AnyResponse | None:
    return (
        login.require_editor() if request.blueprint == "desk" or request.endpoint == "status.status" else None
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)
