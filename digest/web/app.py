"""The web application: archive, search, pages of facts, recipients' pages. Nothing on it runs script or loads from outside."""

from __future__ import annotations

from importlib import import_module, util
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from digest.rendering import render_view
from digest.web import access, archive
from store.config import Config
from store.database import Engine

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_WORDS = {
    400: ("请求有误", "请检查地址或所填内容。"),
    403: ("无权查看", "请从邮件中的个人链接进入。"),
    404: ("没有这一页", "地址有误，或该期尚未编发。"),
    405: ("请求有误", "这个地址不接受这种请求。"),
    413: ("内容过长", "请缩短后重试。"),
}


def create_app(engine: Engine, config: Config) -> Flask:
    """Return the WSGI application. Reads the database only, but for the recipients' own pages."""
    app = base_app(engine, config)
    app.register_blueprint(archive.blueprint)
    app.before_request(access.refuse_strangers)
    if util.find_spec("digest.web.recipients"):
        app.register_blueprint(import_module("digest.web.recipients").blueprint)
    return app


def base_app(engine: Engine, config: Config) -> Flask:
    """Return an application without pages: its headers, limits and error pages."""
    app = Flask("digest", static_folder="static", static_url_path="/static", template_folder=None)
    app.config.update(ENGINE=engine, PARKNEWS=config, MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_PARTS=1000)
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, _error_page)
    return app


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _error_page(error: HTTPException) -> AnyResponse:
    from flask import current_app

    if error.code is not None and error.code < 400:
        return error.get_response()
    heading, message = _WORDS.get(error.code or 500, ("出错了", "请稍后再试，或告知管理员。"))
    page = render_view("message", current_app.config["PARKNEWS"], {"heading": heading, "message": message})
    return Response(page, status=error.code, mimetype="text/html")
