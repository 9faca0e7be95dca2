"""`parknews issue`: the weekly issue before and after it is frozen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from scheduler.context import Store


class Moment(click.ParamType[datetime]):
    """ISO 8601; without an offset it is the office's time."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment in UTC."""
        from store.articles import PAGE_ZONE

        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no moment; write 2026-11-23T08:00", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=PAGE_ZONE)).astimezone(UTC)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def issue_command() -> None:
    """Weekly issues (期)."""


def _now(moment: datetime | None) -> datetime:
    return moment or datetime.now(UTC)


@issue_command.command("compose")
@click.option(
    "--at", "moment", type=Moment(), help="Compose as if it were this moment (ISO 8601, office time)."
)
def compose(moment: datetime | None) -> None:
    """Freeze the issue that is due now, if it is not there yet, queue its deliveries and write its files."""
    from digest.edition import edition_for
    from digest.parcels import write_files
    from scheduler.context import open_store
    from scheduler.jobs import compose_weekly

    store = open_store()
    issue = compose_weekly(store, _now(moment))
    if issue is None:
        click.echo("no issue is due: the one of the latest hour was composed already")
        return
    click.echo(_headline(issue))
    for form, path in write_files(store.config, edition_for(_loaded(store, issue.number))).items():
        click.echo(f"  {form:5} {path}")


@issue_command.command("preview")
@click.option("--at", "moment", type=Moment(), help="Preview as if it were this moment.")
@click.option("--recipient", "address", help="The cut of this recipient.")
@click.option("--serve", is_flag=True, help="Serve the editor's page on loopback instead of writing files.")
@click.option("--port", default=8091, show_default=True, help="The port of the editor's page.")
def preview(moment: datetime | None, address: str | None, serve: bool, port: int) -> None:
    """Show the coming issue exactly as it stands; nothing is frozen or sent."""
    from scheduler.context import open_store

    store = open_store()
    if serve:
        _serve_preview(store, port)
        return
    from digest.edition import edition_for
    from digest.issue import coming_issue
    from digest.parcels import write_files
    from store.database import read_scope
    from store.recipients import get_recipient

    draft = coming_issue(store.engine, store.config, _now(moment))
    recipient = None
    if address:
        with read_scope(store.engine) as session:
            recipient = get_recipient(session, address)
    edition = edition_for(draft, recipient)
    click.echo(f"{edition.content['masthead']['title']}: {len(edition.story_ids)} stories")
    for form, path in write_files(store.config, edition, recipient).items():
        click.echo(f"  {form:5} {path}")


def _serve_preview(store: Store, port: int) -> None:
    from waitress import serve as run

    from digest.web.preview import create_preview

    click.echo(f"http://127.0.0.1:{port}/ (stop with Ctrl-C)")
    run(create_preview(store.engine, store.config), host="127.0.0.1", port=port)


@issue_command.command("list")
def list_issues() -> None:
    """List the issues, newest first."""
    from scheduler.context import open_store
    from store.database import read_scope
    from store.issues import issue_by_id, last_issues

    with read_scope(open_store().engine) as session:
        for row in last_issues(session, 520):
            click.echo(_headline(issue_by_id(session, row.id)))


@issue_command.command("show")
@click.argument("number", type=int)
@click.option("--recipient", "address", help="The cut of this recipient.")
def show(number: int, address: str | None) -> None:
    """Print the text form of the issue with this running number (总第N期)."""
    from digest.edition import edition_for
    from digest.rendering import Links, render
    from scheduler.context import open_store
    from store.database import read_scope
    from store.recipients import get_recipient

    store = open_store()
    issue = _loaded(store, number)
    recipient = None
    if address:
        with read_scope(store.engine) as session:
            recipient = get_recipient(session, address)
    click.echo(render(edition_for(issue, recipient), store.config, links=Links()).text)


def _loaded(store: Store, number: int) -> Any:
    from store.database import read_scope
    from store.issues import issue_by_number

    with read_scope(store.engine) as session:
        issue = issue_by_number(session, number)
    if issue is None:
        raise click.ClickException(f"there is no issue {number}; `parknews issue list` shows them")
    return issue


def _headline(issue: Any) -> str:
    late = "，补发" if issue.late else ""
    return f"{issue.year}年第{issue.year_number}期（总第{issue.number}期{late}）: {len(issue.stories)} stories, composed {issue.composed_at:%Y-%m-%d %H:%M} UTC"
