"""How it stands, for three readers: a page for editors, `/metrics` for Prometheus, `/healthz` for a supervisor."""

from __future__ import annotations

import hmac
import platform
import shutil
from importlib.metadata import version

from flask import Blueprint, Response, abort, current_app, request

from digest.period import next_due
from digest.rendering import render_view
from digest.trouble_words import in_chinese, subject_in_chinese
from digest.web import visitor
from store.config import Config, ConfigError, secret
from store.database import SQLAlchemyError, read_scope
from store.deliveries import STATES
from store.issues import count_candidates
from store.status import (
    ALERT_WORDS,
    CRAWL_OUTCOMES,
    SOURCE_STATES,
    Status,
    answers,
    status_of,
    visits_of,
)

blueprint = Blueprint("status", __name__)
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: A shorter PARKNEWS_METRICS_TOKEN can be guessed and opens nothing.
_MIN_TOKEN = 16


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 when the database answers, else 503; nothing more is told to anybody."""
    try:
        with read_scope(current_app.config["ENGINE"]) as session:
            answers(session)
    except SQLAlchemyError:
        return Response("database\n", status=503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts in Prometheus' text form; for this machine, editors, and holders of PARKNEWS_METRICS_TOKEN as a bearer token."""
    if not (visitor.is_neighbour() or _has_token() or visitor.editor()):
        abort(403)
    with read_scope(current_app.config["ENGINE"]) as session:
        found = status_of(session, visitor.now())
    return Response(metrics_text(found), content_type=METRICS_TYPE)


@blueprint.get("/status")
def status() -> str:
    """The same for people, with the names of what is in trouble."""
    config: Config = current_app.config["PARKNEWS"]
    with read_scope(current_app.config["ENGINE"]) as session:
        found = status_of(session, visitor.now())
        visits = visits_of(session, found.at)
        waiting = count_candidates(session, found.at)
    zone = config.zone_info
    due = next_due(found.at, config.digest, zone).astimezone(zone)
    context = {
        "status": found,
        "visits": visits,
        "waiting": waiting,
        "alert_words": ALERT_WORDS,
        "in_chinese": in_chinese,
        "subject_in_chinese": subject_in_chinese,
        "free_mb": shutil.disk_usage(config.resolve(".")).free // 2**20,
        "versions": f"parknews {version('parknews')}，Python {platform.python_version()}",
        "next_issue": f"{due:%Y-%m-%d %H:%M}",
        "local_time": lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if moment else "",
        "editor": visitor.editor() or "",
        "token": visitor.csrf_token(),
    }
    return render_view("status", config, context)


def metrics_text(found: Status) -> str:
    """Return the counts as gauges. Label values are our own words; whatever else a table holds is counted as other."""
    counts = found.counts
    tables: list[tuple[str, str, str, dict[str, int]]] = [
        ("sources", "Configured sources by state.", "state", _known(found.sources, SOURCE_STATES)),
        (
            "crawls",
            "Visits that began within a day, by outcome.",
            "outcome",
            _known(found.crawls, CRAWL_OUTCOMES),
        ),
        ("deliveries", "Deliveries by state.", "state", _known(found.deliveries, STATES)),
    ]
    singles: list[tuple[str, str, float]] = [
        ("articles", "Articles kept.", counts.articles),
        ("articles_relevant", "Articles that are relevant.", counts.relevant),
        ("stories", "Stories.", counts.stories),
        ("stories_relevant", "Stories that are relevant.", counts.relevant_stories),
        ("quarantined_pages", "Pages that could not be read.", counts.quarantined),
        ("recipients", "Recipients who receive the digest.", found.recipients),
        ("alerts_open", "Standing alerts.", len(found.alerts)),
        ("daemon_running", "Whether a daemon holds the lease.", int(found.daemon is not None)),
    ]
    if found.issue_age_seconds is not None:
        singles.append(
            ("last_issue_age_seconds", "Since the latest issue was composed.", found.issue_age_seconds)
        )
    lines = [line for name, text, label, rows in tables for line in _table(name, text, label, rows)]
    lines += [
        line
        for name, text, value in singles
        for line in (*_head(name, text), f"parknews_{name} {value:.17g}")
    ]
    return "\n".join(lines) + "\n"


def _known(rows: dict[str, int], words: tuple[str, ...]) -> dict[str, int]:
    others = sum(number for word, number in rows.items() if word not in words)
    return {word: rows[word] for word in words} | ({"other": others} if others else {})


def _head(name: str, text: str) -> list[str]:
    return [f"# HELP parknews_{name} {text}", f"# TYPE parknews_{name} gauge"]


def _table(name: str, text: str, label: str, rows: dict[str, int]) -> list[str]:
    return [
        *_head(name, text),
        *(f'parknews_{name}{{{label}="{word}"}} {number}' for word, number in rows.items()),
    ]


def _has_token() -> bool:
    try:
        expected = secret("metrics_token")
    except ConfigError:
        return False
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return len(expected) >= _MIN_TOKEN and hmac.compare_digest(
        given.encode("utf-8", "replace"), expected.encode()
    )
