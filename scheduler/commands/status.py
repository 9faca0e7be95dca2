"""`parknews status`: how it stands."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scheduler.context import Installation
    from store.database import Session
    from store.models import Source


@click.command()
@click.option("--runs", default=8, show_default=True, help="How many of the last crawls to show.")
@click.option(
    "--sources", default=200, show_default=True, help="How many sources to list, those in trouble first."
)
def status_command(runs: int, sources: int) -> None:
    """Show sources by state with twelve weeks of news, last crawls, the latest and the coming issue, deliveries, alerts."""
    from scheduler.context import open_installation

    click.echo("\n".join(status_lines(open_installation(), datetime.now(UTC), runs, sources)))


def status_lines(installation: Installation, now: datetime, runs: int = 8, sources: int = 200) -> list[str]:
    """Return the overview in lines."""
    from store.database import read_scope

    with read_scope(installation.engine) as session:
        lines = [*_machine(installation, session, now), *_kept(session), *_issues(installation, session, now)]
        lines += [
            *_alerts(installation, session),
            *_visits(installation, session, now, runs, sources),
        ]
    return lines


def _machine(installation: Installation, session: Session, now: datetime) -> Iterator[str]:
    from store.leases import holder_of

    shown = installation.engine.url.render_as_string(hide_password=True)
    size = ""
    if installation.engine.url.get_backend_name() == "sqlite" and installation.engine.url.database:
        path = Path(installation.engine.url.database)
        size = f", {path.stat().st_size / 2**20:.1f} MB" if path.is_file() else ""
    yield f"database   {shown}{size}"
    yield f"daemon     {holder_of(session, 'daemon', now) or 'none is running'}"
    folder = installation.config.resolve(".")
    yield f"disk       {shutil.disk_usage(folder).free // 2**20} MB free at {folder}"
    names = ", ".join(f"{name} {version(name)}" for name in ("scrapy", "sqlalchemy", "apscheduler"))
    yield f"versions   parknews {version('parknews')}, python {sys.version.split()[0]}, {names}"


def _kept(session: Session) -> Iterator[str]:
    from store.counts import count_all

    counts = count_all(session)
    yield (
        f"articles   {counts.articles}, {counts.relevant} relevant, {counts.borderline} borderline,"
        f" {counts.quarantined} pages in quarantine"
    )
    yield f"stories    {counts.stories}, {counts.relevant_stories} relevant; {counts.joined} copies joined"


def _issues(installation: Installation, session: Session, now: datetime) -> Iterator[str]:
    from digest.issue import is_held
    from digest.period import next_due
    from store.deliveries import summary
    from store.issues import count_candidates, editor_acts, issue_by_id, last_issues

    due = next_due(now, installation.config.digest, installation.config.zone_info)
    held = ", held by the editor" if is_held(editor_acts(session)) else ""
    yield f"next issue {_moment(installation, due)}, {count_candidates(session, now)} stories wait for it{held}"
    latest = next(iter(last_issues(session, 1)), None)
    issue = issue_by_id(session, latest.id) if latest else None
    if issue is None:
        return
    yield (
        f"last issue {issue.year}年第{issue.year_number}期（总第{issue.number}期）, {len(issue.stories)} stories,"
        f" {_moment(installation, issue.composed_at)}"
    )
    states = sorted(summary(session, issue.id).items())
    yield "deliveries " + (", ".join(f"{count} {state}" for state, count in states) or "none")


def _alerts(installation: Installation, session: Session) -> Iterator[str]:
    from store.alerts import open_alerts

    for alert in open_alerts(session):
        yield f"alert      {alert.kind} {alert.subject}: {alert.detail} (since {_moment(installation, alert.raised_at)})"


def _visits(
    installation: Installation, session: Session, now: datetime, runs: int, most: int
) -> Iterator[str]:
    from store.status import source_counts, visits_of

    visits = visits_of(session, now, most=most, runs=runs)
    counts = source_counts(session)
    yield "sources    " + (
        ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none"
    )
    for source, bars in visits.sources:
        new = _moment(installation, source.last_new_at) if source.last_new_at else "-"
        yield f"  {source.state:6} {bars} {source.name:28} last new {new:16} {_trouble(source)}".rstrip()
    if visits.omitted:
        yield f"  and {visits.omitted} more: --sources {len(visits.sources) + visits.omitted}"
    for name, crawl in visits.runs:
        reason = f" ({crawl.reason})" if crawl.reason else ""
        yield (
            f"crawl      {_moment(installation, crawl.started_at)} {name}: {crawl.outcome}{reason}, {crawl.requests} requests,"
            f" {crawl.new} new, {crawl.revised} revised, {crawl.errors} errors"
        )


def _trouble(source: Source) -> str:
    if source.faults:
        return "; ".join(f"{kind}: {fault['evidence']}" for kind, fault in source.faults.items())
    return (source.last_error or source.last_reason or "") if source.state == "down" else ""


def _moment(installation: Installation, moment: datetime) -> str:
    return f"{moment.astimezone(installation.config.zone_info):%Y-%m-%d %H:%M}"
