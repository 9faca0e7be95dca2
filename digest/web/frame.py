"""What every web application of ours stands in: headers, limits, error pages. Nothing runs script or loads from outside."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from digest.rendering import render_view
from store.config import Config
from store.database import Engine, SQLAlchemyError

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
_log = logging.getLogger(__name__)
_WORDS = {
    400: ("请求有误", "请检查地址或所填内容。"),
    403: ("无权查看", "请从邮件中的个人链接进入；编辑人员请先登录（/login）。"),
    404: ("没有这一页", "地址有误，或该期尚未编发。"),
    405: ("请求有误", "这个地址不接受这种请求。"),
    413: ("内容过长", "请缩短后重试。"),
    503: ("暂时无法查看", "请稍后再试。"),
}


def base_app(engine: Engine, config: Config) -> Flask:
    """Return an application without pages: its headers, limits and error pages."""
    app = Flask("digest", static_folder="static", static_url_path="/static", template_folder=None)
    app.config.update(ENGINE=engine, PARKNEWS=config, MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_PARTS=1000)
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, _error_page)
    app.register_error_handler(SQLAlchemyError, _database_page)
    return app


def _database_page(error: SQLAlchemyError) -> AnyResponse:
    _log.error("the database did not answer: %s", type(error).__name__)
    return _error_page(ServiceUnavailable())


def _with_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _error_page(error: HTTPException) -> AnyResponse:
    if error.code is not None and error.code < 400:
        return error.get_response()
    heading, message = _WORDS.get(error.code or 500, ("出错了", "请稍后再试，或告知管理员。"))
    page = render_view("message", current_app.config["PARKNEWS"], {"heading": heading, "message": message})
    return Response(page, status=error.code, mimetype="text/html")
