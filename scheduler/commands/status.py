"""`parknews status`: how it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scheduler.context import Store


@click.command()
def status_command() -> None:
    """Show sources by state, what is kept, the latest and the coming issue, deliveries, alerts."""
    from scheduler.context import open_store

    click.echo("\n".join(status_lines(open_store(), datetime.now(UTC))))


def status_lines(store: Store, now: datetime) -> list[str]:
    """Return the overview in lines."""
    from digest.period import next_due
    from scheduler.monitors import source_states
    from store.alerts import open_alerts
    from store.counts import count_all
    from store.database import read_scope
    from store.deliveries import summary
    from store.issues import issue_by_id, last_issues
    from store.leases import holder_of

    zone = store.config.zone_info
    with read_scope(store.engine) as session:
        counts, states = count_all(session), source_states(session)
        latest = next(iter(last_issues(session, 1)), None)
        issue = issue_by_id(session, latest.id) if latest else None
        lines = [
            f"database   {store.engine.url.render_as_string(hide_password=True)}",
            f"daemon     {holder_of(session, 'daemon', now) or 'none is running'}",
            "sources    "
            + (", ".join(f"{len(rows)} {state}" for state, rows in sorted(states.items())) or "none"),
            f"articles   {counts.articles}, {counts.relevant} relevant, {counts.borderline} borderline, {counts.quarantined} pages in quarantine",
            f"stories    {counts.stories}, {counts.relevant_stories} relevant; {counts.joined} copies joined",
            f"next issue {next_due(now, store.config.digest, zone).astimezone(zone):%Y-%m-%d %H:%M}",
        ]
        if issue:
            lines.append(
                f"last issue {issue.year}年第{issue.year_number}期（总第{issue.number}期）, {len(issue.stories)} stories, {issue.composed_at.astimezone(zone):%Y-%m-%d %H:%M}"
            )
            lines.append(
                "deliveries "
                + (
                    ", ".join(
                        f"{count} {state}" for state, count in sorted(summary(session, issue.id).items())
                    )
                    or "none"
                )
            )
        lines += [
            f"down       {source.name}: {source.last_error or source.last_reason}"
            for source in states.get("down", [])
        ]
        lines += [
            f"alert      {alert.kind} {alert.subject}: {alert.detail}" for alert in open_alerts(session)
        ]
    return lines
