"""The archive's pages: the list of issues, one issue and its Word form, a story's page of facts, search."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, abort, current_app, g, request

from digest.briefing import write_docx
from digest.edition import Edition, edition_for
from digest.names import load_names
from digest.rendering import Links, render_page, render_view
from store.archive import SHORTEST_QUERY, Query, list_issues, search, story_facts, told_tags
from store.config import Config
from store.database import Session, read_scope
from store.issues import issue_by_number
from store.text import clean_line

blueprint = Blueprint("archive", __name__)
WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HITS_PER_PAGE = 30
_MAX_PAGE = 10_000
#: The largest number either database keeps as an integer.
_MAX_ID = 2**31 - 1
RELATIONS = {
    "original": "首发",
    "reprint": "转载",
    "excerpt": "摘编",
    "anonymised": "隐名转载",
    "contains": "含本条的综合报道",
    "revised": "修订",
}


class _HereLinks(Links):
    """Links within the archive itself."""

    def issue(self, issue_number: int) -> str:
        return f"/issues/{issue_number}"

    def story(self, story_id: int) -> str:
        return f"/stories/{story_id}"


def page_links() -> Links:
    """Return links that stay on the server the page came from."""
    return _HereLinks()


@blueprint.get("/")
def index() -> str:
    """Every issue, newest first."""
    with read_scope(current_app.config["ENGINE"]) as session:
        context = {"issues": list_issues(session), "query": _no_query(), **_choices(session)}
    return render_view("index", _config(), context | {"home": ""})


@blueprint.get("/issues/<int:number>")
def issue(number: int) -> str:
    """One issue as a web page; for a visitor with nothing but its key without ways to other pages."""
    if g.get("this_issue_only"):
        return render_page(_edition(number), _config(), links=Links(), stylesheet="/static/digest.css")
    word = f"/issues/{number}/briefing.docx" if _config().digest.word else ""
    return render_page(
        _edition(number), _config(), links=page_links(), stylesheet="/static/digest.css", home="/", word=word
    )


@blueprint.get("/issues/<int:number>/briefing.docx")
def briefing(number: int) -> Response:
    """One issue as Word."""
    edition = _edition(number)
    return word_response(write_docx(edition, _config()), f"{edition.content['masthead']['title']}.docx")


def word_response(document: bytes, name: str) -> Response:
    """Return a download whose Chinese name survives every browser."""
    disposition = f"attachment; filename=briefing.docx; filename*=UTF-8''{quote(name, safe='')}"
    return Response(document, mimetype=WORD_TYPE, headers={"Content-Disposition": disposition})


@blueprint.get("/stories/<int:story_id>")
def story(story_id: int) -> str:
    """A story's page of facts: no text beyond the summary."""
    if story_id > _MAX_ID:
        abort(404)
    with read_scope(current_app.config["ENGINE"]) as session:
        facts = story_facts(session, story_id)
    if facts is None:
        abort(404)
    context = {
        "facts": facts,
        "relations": RELATIONS,
        "titles": dict(load_names(_config()).themes),
        "local_time": _local_time,
    }
    return render_view("story", _config(), context)


@blueprint.get("/search")
def find() -> str:
    """Stories that hold every word given, filtered."""
    given = {key: clean_line(request.args.get(key, ""))[:100] for key in ("q", "zone", "theme", "outlet")}
    days = {key: _day(request.args.get(key, "")) for key in ("since", "until")}
    page = _page_number(request.args.get("page", "1"))
    query = Query(
        given["q"], given["zone"], given["theme"], given["outlet"], _start(days["since"]), _end(days["until"])
    )
    problem = ""
    if any(len(word) < SHORTEST_QUERY for word in given["q"].split()):
        problem = f"每个检索词至少{SHORTEST_QUERY}个字。"
    with read_scope(current_app.config["ENGINE"]) as session:
        total, hits = (
            (0, []) if problem else search(session, query, HITS_PER_PAGE, (page - 1) * HITS_PER_PAGE)
        )
        choices = _choices(session)
    shown = given | {key: day.isoformat() if day else "" for key, day in days.items()}
    more = page * HITS_PER_PAGE < total
    context = {
        "query": shown,
        "problem": problem,
        "total": total,
        "hits": hits,
        "page": page,
        "previous_page": _page_link(shown, page - 1) if page > 1 else "",
        "next_page": _page_link(shown, page + 1) if more else "",
        **choices,
    }
    return render_view("search", _config(), context)


def _config() -> Config:
    config: Config = current_app.config["PARKNEWS"]
    return config


def _edition(number: int) -> Edition:
    if number > _MAX_ID:
        abort(404)
    with read_scope(current_app.config["ENGINE"]) as session:
        found = issue_by_number(session, number)
    if found is None:
        abort(404)
    return edition_for(found)


def _choices(session: Session) -> dict[str, Any]:
    names = load_names(_config())
    themes = sorted(told_tags(session, "theme"), key=names.order)
    return {
        "zones": told_tags(session, "zone"),
        "themes": [{"key": key, "title": names.theme(key)} for key in themes],
    }


def _no_query() -> dict[str, str]:
    return dict.fromkeys(("q", "zone", "theme", "outlet", "since", "until"), "")


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 9999 else None


def _start(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), _config().zone_info) if day else None


def _end(day: date | None) -> datetime | None:
    return _start(day + timedelta(days=1)) if day else None


def _page_number(text: str) -> int:
    return min(max(1, int(text)), _MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def _page_link(query: dict[str, str], page: int) -> str:
    given = {key: value for key, value in query.items() if value}
    return f"/search?{urlencode({**given, 'page': page})}"


def _local_time(moment: datetime | None) -> str:
    return moment.astimezone(_config().zone_info).strftime("%Y-%m-%d %H:%M") if moment else ""
