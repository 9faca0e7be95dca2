"""The editor's desk on loopback: the coming issue in every form and for any recipient, and the decisions about it."""

from __future__ import annotations

import getpass
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, abort, redirect, request

from digest.briefing import BriefingError, to_pdf, write_docx
from digest.edition import Edition, edition_for
from digest.issue import coming_issue, is_held
from digest.names import NO_THEME, SUPPLEMENT, load_names
from digest.period import local_day
from digest.rendering import Links, css, render, render_page, render_view
from digest.web.archive import word_response
from digest.web.frame import base_app
from store.config import Config
from store.database import Engine, read_scope, session_scope
from store.edits import EditError, add_edit, members, merge_stories, split_story, undo_edit
from store.issues import Draft, EditorAct, doubtful, editor_acts
from store.recipients import list_recipients
from store.stories import related_to

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from store.models import Recipient

FORMS = (("mail", "邮件"), ("narrow", "邮件（手机）"), ("text", "纯文本"), ("page", "网页"))
_ACT_TITLES = {
    "include": "收入",
    "pin": "置顶",
    "drop": "撤下",
    "retitle": "改标题",
    "move": "移栏目",
    "summary": "改摘要",
    "note": "按语",
    "hold": "暂缓",
    "approve": "核准",
    "erratum": "勘误",
}
#: The forms are shown as they are sent, with their inline styles; nothing else may be loaded, nothing may run.
FORM_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; sandbox allow-popups"
#: Lets the browser in that opened the desk.
COOKIE = "parknews_desk"
_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


def create_preview(
    engine: Engine, config: Config, now: Callable[[], datetime] | None = None, who: str = "", key: str = ""
) -> Flask:
    """Return the WSGI application of the desk; serve it on loopback only. Requests by any other host name are refused.

    `who` stands in the audit trail (default: the user that runs it); `now` is the clock. With a `key` only the browser that
    comes by /open/KEY gets in, and only the first: all users of the machine can reach the port, and see addresses that a
    browser was started with.
    """
    name, token = who or _user(), secrets.token_urlsafe(32)
    app = base_app(engine, config)
    app.before_request(_only_loopback)
    if key:
        app.before_request(_Door(config, key).look)
    app.register_blueprint(Desk(engine, config, now or _utc_now, lambda: name, lambda: token).blueprint())
    return app


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in containers
        return "unknown"


def _only_loopback() -> None:
    """A page elsewhere can point its own name at 127.0.0.1; that name is not ours."""
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    if host not in _HOSTS:
        abort(403)


class _Door:
    """Lets one browser in, which it knows again by a cookie."""

    def __init__(self, config: Config, key: str) -> None:
        self._config, self._path, self._word = config, f"/open/{key}", secrets.token_urlsafe(32)

    def look(self) -> AnyResponse | None:
        """Before every request: nothing for the browser that is in, 403 for all others but the first that has the key."""
        if request.endpoint == "static" or _is(request.cookies.get(COOKIE, ""), self._word):
            return None
        if not _is(request.path, self._path):
            words = {
                "heading": "无权查看",
                "message": "请用 parknews issue preview 显示的地址打开；每个地址只能用一次。",
            }
            return Response(
                render_view("message", self._config, words | {"home": ""}), status=403, mimetype="text/html"
            )
        self._path = ""
        answer = redirect("/", code=303)
        answer.set_cookie(COOKIE, self._word, httponly=True, samesite="Strict")
        return answer


def _is(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk's pages under the path `root`. `who` is the editor at it, `token` what each of that editor's forms must bring."""

    engine: Engine
    config: Config
    now: Callable[[], datetime]
    who: Callable[[], str]
    token: Callable[[], str]
    root: str = ""

    def blueprint(self) -> Blueprint:
        """Return the desk's routes; whoever registers them sees to who may come."""
        routes = Blueprint("desk", __name__, url_prefix=self.root or None)
        routes.add_url_rule("/", "desk", self.show, methods=["GET"])
        routes.add_url_rule("/form/<name>", "form", self.form, methods=["GET"])
        for name in ("edit", "undo", "merge", "split"):
            routes.add_url_rule(f"/{name}", name, getattr(self, name), methods=["POST"])
        return routes

    def show(self) -> str:
        """The desk itself."""
        return self._page("")

    def _page(self, problem: str) -> str:
        draft = coming_issue(self.engine, self.config, self.now())
        with read_scope(self.engine) as session:
            recipients = list(list_recipients(session))
            acts = editor_acts(session)
            articles = members(session, [story.story_id for story in draft.stories])
            events = related_to(session, [story.story_id for story in draft.stories])
            unsure = doubtful(session, draft.period_start, draft.period_end)
            people = [{"address": person.address, "name": person.name} for person in recipients]
            edition = edition_for(draft, _chosen(recipients))
        names = load_names(self.config)
        form = request.args.get("form", "mail")
        whole = edition_for(draft)
        context = {
            "home": "",
            "token": self.token(),
            "root": self.root,
            "editor": self.who() if self.root else "",
            "problem": problem,
            "edition": whole,
            "issue": whole.content,
            "head": whole.content["masthead"],
            "due": draft.due_at.astimezone(self.config.zone_info).strftime("%Y-%m-%d %H:%M"),
            "held": is_held(acts),
            "wanted": edition.wanted,
            "recipients": people,
            "recipient": request.args.get("recipient", ""),
            "forms": FORMS,
            "form": form if form in dict(FORMS) else "mail",
            "sections": [*names.themes.items(), NO_THEME, SUPPLEMENT],
            "members": articles,
            "events": events,
            "here": {story.story_id for story in draft.stories},
            "day": self._day,
            "unsure": unsure,
            "acts": [self._act(act, draft) for act in reversed(acts) if act.issue_id is None],
        }
        return render_view("desk", self.config, context)

    def _day(self, moment: datetime) -> str:
        return local_day(moment, self.config.zone_info).isoformat()

    def _act(self, act: EditorAct, draft: Draft) -> dict[str, Any]:
        titles = {story.story_id: story.content["title"] for story in draft.stories}
        story = "" if act.story_id is None else titles.get(act.story_id, f"第{act.story_id}号报道")
        return {
            "edit_id": act.edit_id,
            "when": act.at.astimezone(self.config.zone_info).strftime("%m-%d %H:%M"),
            "who": act.who,
            "title": _ACT_TITLES.get(act.kind, act.kind),
            "story": story,
            "value": act.value,
            "reason": act.reason,
        }

    def form(self, name: str) -> Response:
        """One form of the coming issue, exactly as it would go out now."""
        draft = coming_issue(self.engine, self.config, self.now())
        with read_scope(self.engine) as session:
            edition = edition_for(draft, _chosen(list(list_recipients(session))))
        if name in {"word", "pdf"}:
            return self._document(edition, name)
        if name == "page":
            html = render_page(edition, self.config, links=Links())
        elif name in {"mail", "text"}:
            rendered = render(edition, self.config, links=Links())
            html = rendered.html if name == "mail" else _as_page(rendered.subject, rendered.text)
        else:
            abort(404)
        return Response(html, mimetype="text/html", headers={"Content-Security-Policy": FORM_POLICY})

    def _document(self, edition: Edition, name: str) -> Response:
        document = write_docx(edition, self.config)
        if name == "word":
            return word_response(document, f"{edition.content['masthead']['title']}.docx")
        try:
            return Response(to_pdf(document), mimetype="application/pdf")
        except BriefingError as error:
            return Response(f"{error}\n", status=503, mimetype="text/plain")

    def edit(self) -> AnyResponse:
        """Take one decision; back to the desk at the story, or the desk with what is wrong (400)."""
        self._check_token()
        given = {key: request.form.get(key, "") for key in ("kind", "story", "value", "reason")}
        story_id = _number(given["story"])
        try:
            self._take(story_id, given)
        except EditError as error:
            return Response(self._page(str(error)), status=400, mimetype="text/html")
        return redirect(f"{self.root}/#story-{story_id}" if story_id else f"{self.root}/", code=303)

    def _take(self, story_id: int | None, given: dict[str, str]) -> None:
        if given["kind"] == "move" and given["value"] not in self._sections():
            raise EditError("没有这个栏目")
        with session_scope(self.engine) as session:
            add_edit(
                session,
                given["kind"],
                story_id,
                value=given["value"],
                reason=given["reason"],
                who=self.who(),
                now=self.now(),
            )

    def merge(self) -> AnyResponse:
        """Make two stories one; back to the desk at the one that stays."""
        story, other = (
            _number(request.form.get("story", "")) or 0,
            _number(request.form.get("other", "")) or 0,
        )
        return self._regroup(partial(merge_stories, a=story, b=other))

    def split(self) -> AnyResponse:
        """Take an article out of its story; back to the desk at its new one."""
        return self._regroup(partial(split_story, article_id=_number(request.form.get("article", "")) or 0))

    def _regroup(self, act: Callable[..., int]) -> AnyResponse:
        self._check_token()
        reason = request.form.get("reason", "")
        try:
            with session_scope(self.engine) as session:
                story = act(session, reason=reason, who=self.who(), now=self.now())
        except EditError as error:
            return Response(self._page(str(error)), status=400, mimetype="text/html")
        return redirect(f"{self.root}/#story-{story}", code=303)

    def undo(self) -> AnyResponse:
        """Undo one decision; 400 when it has taken effect or is not there."""
        self._check_token()
        with session_scope(self.engine) as session:
            undone = undo_edit(
                session, _number(request.form.get("edit", "")) or 0, who=self.who(), now=self.now()
            )
        if not undone:
            return Response(self._page("这项改动已经生效或已撤销"), status=400, mimetype="text/html")
        return redirect(f"{self.root}/", code=303)

    def _sections(self) -> set[str]:
        return {*load_names(self.config).themes, NO_THEME[0], SUPPLEMENT[0]}

    def _check_token(self) -> None:
        """The token stands in the desk's forms only: another site cannot know it."""
        if not _is(request.form.get("token", ""), self.token()):
            abort(403)


def _chosen(recipients: list[Recipient]) -> Recipient | None:
    address = request.args.get("recipient", "")
    if not address:
        return None
    found = [person for person in recipients if person.address == address]
    return found[0] if found else abort(404)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _as_page(subject: str, text: str) -> str:
    from markupsafe import escape

    return (
        f'<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(subject)}</title><style>{css()}</style>'
        f'<body><p><b>主题：{escape(subject)}</b></p><pre class="form">{escape(text)}</pre>'
    )
