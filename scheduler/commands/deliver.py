"""`parknews deliver`: send what is due; what is in doubt is settled by a person."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from digest.delivery import DeliveryReport
    from scheduler.context import Installation


@click.command()
@click.option(
    "--in-doubt",
    "list_doubtful",
    is_flag=True,
    help="List deliveries of which nobody knows whether they arrived.",
)
@click.option(
    "--settle",
    type=int,
    metavar="NUMBER",
    help="Settle a delivery in doubt; say --arrived or --again with it.",
)
@click.option("--arrived/--again", "arrived", default=None, help="It arrived / send it once more.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@click.option(
    "--bounces", is_flag=True, help="Read mail that came back; addresses that keep failing are given up."
)
def deliver_command(
    list_doubtful: bool, settle: int | None, arrived: bool | None, dry_run: bool, bounces: bool
) -> None:
    """Send every queued delivery whose time has come.

    Exit code 2 when the run stopped early for a fault; the pace of a mail server is none.
    """
    if settle is not None:
        _settle(settle, arrived)
    elif arrived is not None:
        raise click.UsageError("--arrived and --again belong to --settle NUMBER")
    elif list_doubtful:
        _list_doubtful()
    elif bounces:
        _bounces()
    elif dry_run:
        _dry_run()
    else:
        _deliver()


def _deliver() -> None:
    from crawler.context import utc_now
    from scheduler.context import open_installation
    from scheduler.jobs import deliver

    logging.getLogger("digest.delivery").addHandler(
        logging.NullHandler()
    )  # what it warns of stands in the report
    installation = open_installation()
    report = deliver(installation, utc_now)
    stopped = "" if report.paused_until else report.stopped_because or ""
    alarm = report.alarm if report.alarm and report.alarm not in stopped else ""
    fault = "; ".join(filter(None, [f"stopped: {stopped}" if stopped else "", alarm]))
    done = ", ".join(f"{count} {word}" for name, word in _DONE.items() if (count := getattr(report, name)))
    if done or not fault:
        click.echo(done or "nothing was due")
    for remark in _remarks(installation, report):
        click.echo(f"  {remark}")
    if fault:
        click.echo(f"parknews: {fault}", err=True)
        raise SystemExit(2)


def _remarks(installation: Installation, report: DeliveryReport) -> Iterator[str]:
    """Say what the counts leave open: who is given up, what goes when, what waits for a person."""
    from store.database import read_scope
    from store.deliveries import PACED, outlook

    for address, reply in report.suppressed_addresses.items():
        yield f"{address} gets no more mail: {reply}; `parknews recipient reactivate {address}` takes that back"
    if report.unserved:
        yield "unserved: their channel is not set up; `parknews doctor` names it and the way out"
    with read_scope(installation.engine) as session:
        left = outlook(session, datetime.now(UTC))
    if report.paused_until:
        due = left.due - report.unserved
        yield (
            f"{due} wait for their turn, the first until {_moment(installation, report.paused_until)}; "
            f"the pace is {report.limits}, so that all take {_about(report.limits.time_for(due))}"
        )
    if left.next_at:
        why = "more at a time their provider does not take" if left.why == PACED else left.why
        yield f"{left.put_off} put off, the first until {_moment(installation, left.next_at)}: {why}"
    if left.in_doubt:
        yield f"{left.in_doubt} in doubt: `parknews deliver --in-doubt` lists them"


def _about(time: timedelta) -> str:
    for unit, seconds in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if time.total_seconds() >= 2 * seconds:
            return f"some {round(time.total_seconds() / seconds)} {unit}"
    return "a minute or two"


def _moment(installation: Installation, moment: datetime) -> str:
    return f"{moment.astimezone(installation.config.zone_info):%Y-%m-%d %H:%M:%S}"


#: What became of deliveries, by the report's fields.
_DONE = {
    "sent": "sent",
    "retried": "put off",
    "suppressed": "suppressed",
    "in_doubt": "in doubt",
    "skipped": "skipped",
    "failed": "failed",
    "unserved": "unserved",
}
#: Why nobody knows, by the ledger's reasons.
_DOUBTS = {
    "crash_at_the_dot": "this program ended before the answer came",
    "closed": "the connection broke before the answer came",
    "timeout": "no answer came in time",
    "no_answer": "no answer came",
    "garbage": "the answer made no sense",
    "server_error": "the server failed over it",
    "channel_failed": "this program failed over the answer; its log says how",
}
#: What became of a mail that came back, as the folder's reader counts it.
_OUTCOMES = {
    "noted": "noted on their deliveries",
    "suppressed": "led to an address being given up",
    "known": "noted before",
    "unknown": "about no mail of ours (moved to other/)",
    "no_report": "no reports (moved to other/)",
    "unreadable": "cannot be opened; check their permissions",
}


def _bounces() -> None:
    from scheduler.context import open_installation
    from scheduler.jobs import take_in_bounces
    from store.alerts import open_alerts
    from store.database import read_scope
    from store.deliveries import LedgerError

    installation = open_installation()
    try:
        counts = take_in_bounces(installation, datetime.now(UTC))
    except (OSError, LedgerError) as error:
        raise click.ClickException(f"bounces cannot be read: {error}") from None
    click.echo(
        f"{counts.total()} mails read in {installation.config.resolve(installation.config.bounces.folder)}"
    )
    for outcome, words in _OUTCOMES.items():
        if counts[outcome]:
            click.echo(f"{counts[outcome]:6} {words}")
    with read_scope(installation.engine) as session:
        faults = [alert.detail for alert in open_alerts(session) if alert.kind == "bounces_unread"]
    if faults:
        raise click.ClickException(faults[0])


def _list_doubtful() -> None:
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.deliveries import in_doubt

    installation = open_installation()
    with read_scope(installation.engine) as session:
        rows = in_doubt(session)
    for row in rows:
        why, at = _DOUBTS.get(row.reason or "", row.reason or ""), row.claimed_at
        when = f" at {_moment(installation, at)}" if at else ""
        click.echo(f"{row.id:6} issue {row.issue.number} to {row.recipient.address} by {row.channel}{when}")
        click.echo(f"       {why}{f': {row.reply}' if row.reply else ''}")
        click.echo(f"       Message-ID {row.message_id or 'unknown'}")
    click.echo(
        f"{len(rows)} in doubt" + ("; settle each with --settle NUMBER --arrived or --again" if rows else "")
    )


def _settle(number: int, arrived: bool | None) -> None:
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.deliveries import settle

    if arrived is None:
        raise click.UsageError("say --arrived when the recipient has it, --again to send it once more")
    with session_scope(open_installation().engine) as session:
        if not settle(session, number, arrived, operator(), datetime.now(UTC)):
            raise click.ClickException(
                f"delivery {number} is not in doubt; `parknews deliver --in-doubt` lists those that are"
            )
    click.echo(f"delivery {number}: {'counts as arrived' if arrived else 'queued once more'}")


def _dry_run() -> None:
    from digest.parcels import open_channels
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.deliveries import count_due, count_unserved

    installation = open_installation()
    channels = open_channels(installation.config)
    with read_scope(installation.engine) as session:
        click.echo(
            f"{count_due(session, datetime.now(UTC), channels)} would be sent by {', '.join(sorted(channels))}; {count_unserved(session, channels)} wait for a channel that is not set up"
        )
