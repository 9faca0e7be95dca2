"""`parknews issue`: the weekly issue before and after it is frozen."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from scheduler.context import Installation
    from store.models import Recipient


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
@click.option(
    "--already-sent", is_flag=True, help="It went out before a backup was restored: nobody gets it again."
)
def compose(moment: datetime | None, already_sent: bool) -> None:
    """Freeze the issue that is due now, if it is not there yet, queue its deliveries and write its files."""
    from digest.edition import edition_for
    from digest.parcels import write_files
    from scheduler.context import open_installation, operator
    from scheduler.jobs import compose_weekly

    installation = open_installation()
    issue = compose_weekly(installation, _now(moment), settled_by=operator() if already_sent else "")
    if issue is None:
        click.echo("no issue is due: the one of the latest hour was composed already")
        return
    click.echo(_headline(issue))
    for form, path in write_files(
        installation.config, edition_for(_loaded(installation, issue.number))
    ).items():
        click.echo(f"  {form:5} {path}")


@issue_command.command("preview")
@click.option(
    "--files",
    is_flag=True,
    help="Write the forms into the digest folder instead of serving the editor's page.",
)
@click.option("--at", "moment", type=Moment(), help="Preview as if it were this moment.")
@click.option("--recipient", "address", help="With --files: the cut of this recipient.")
@click.option("--port", default=8091, show_default=True, help="The port of the editor's page.")
def preview(files: bool, moment: datetime | None, address: str | None, port: int) -> None:
    """Show the coming issue exactly as it stands; nothing is frozen or sent.

    Opens the editor's page on loopback: every form, any recipient's cut, and pin, drop, retitle, move, merge, split,
    summary, 按语, hold and approve.
    """
    from scheduler.context import open_installation

    installation = open_installation()
    if files:
        _write_preview(installation, _now(moment), address)
    else:
        _serve_preview(installation, moment, port)


def _write_preview(installation: Installation, now: datetime, address: str | None) -> None:
    from digest.edition import edition_for
    from digest.issue import coming_issue
    from digest.parcels import write_files

    recipient = _recipient(installation, address)
    edition = edition_for(coming_issue(installation.engine, installation.config, now), recipient)
    click.echo(f"{edition.content['masthead']['title']}: {len(edition.story_ids)} stories")
    for form, path in write_files(installation.config, edition, recipient, folder="preview").items():
        click.echo(f"  {form:5} {path}")


def _serve_preview(installation: Installation, moment: datetime | None, port: int) -> None:
    import secrets
    import webbrowser

    from waitress import create_server

    from digest.web.preview import create_preview
    from scheduler.context import operator

    key, clock = secrets.token_urlsafe(16), (lambda: moment) if moment else None
    app = create_preview(installation.engine, installation.config, now=clock, who=operator(), key=key)
    try:
        server = create_server(app, host="127.0.0.1", port=port)
    except OSError as error:
        raise click.ClickException(f"port {port}: {error.strerror}; choose another with --port") from error
    address = f"http://127.0.0.1:{port}/open/{key}"
    click.echo(f"{address} (for one browser, once; stop with Ctrl-C)")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
    server.run()


@issue_command.command("edit")
@click.argument("act")
@click.argument("story", type=int, required=False)
@click.option("--value", default="", help="The new title, section, summary or note.")
@click.option("--reason", default="", help="Why, for the audit trail (required for drop).")
def edit(act: str, story: int | None, value: str, reason: str) -> None:
    """Decide about the coming issue: ACT on STORY (its number), or on the whole issue without one.

    On a story: include, pin, drop, retitle, move, summary, note, hold. On the issue: note (按语), erratum (勘误), hold,
    approve.
    """
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.edits import EditError, add_edit

    with session_scope(open_installation().engine) as session:
        try:
            made = add_edit(
                session, act, story, value=value, reason=reason, who=operator(), now=datetime.now(UTC)
            )
        except EditError as error:
            raise click.ClickException(str(error)) from error
        click.echo(
            f"edit {made.id}: {act}{f' story {story}' if story else ''}; `parknews issue undo {made.id}` takes it back"
        )


@issue_command.command("undo")
@click.argument("number", type=int)
def undo(number: int) -> None:
    """Take back the edit NUMBER, as long as no issue was composed with it."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.edits import undo_edit

    with session_scope(open_installation().engine) as session:
        if not undo_edit(session, number, who=operator(), now=datetime.now(UTC)):
            raise click.ClickException(f"there is no edit {number} that could be taken back")
    click.echo(f"edit {number} is taken back")


@issue_command.command("list")
def list_issues() -> None:
    """List the issues, newest first."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.issues import issue_by_id, last_issues

    with read_scope(open_installation().engine) as session:
        for row in last_issues(session, 520):
            click.echo(_headline(issue_by_id(session, row.id)))


@issue_command.command("show")
@click.argument("number", type=int)
@click.option(
    "--form", type=click.Choice(["text", "html", "page", "word", "pdf"]), default="text", show_default=True
)
@click.option("--recipient", "address", help="The cut of this recipient.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Write into this file (word and pdf need one)."
)
def show(number: int, form: str, address: str | None, output: str | None) -> None:
    """Give the issue with this running number (总第N期) in one of its forms."""
    from digest.edition import edition_for
    from digest.parcels import form_of
    from scheduler.context import open_installation

    installation = open_installation()
    content = form_of(
        form,
        edition_for(_loaded(installation, number), _recipient(installation, address)),
        installation.config,
    )
    if output:
        Path(output).write_bytes(content)
        click.echo(output)
    elif form in {"word", "pdf"}:
        raise click.UsageError(f"{form} is no text: name a file with -o")
    else:
        click.echo(content.decode())


def _recipient(installation: Installation, address: str | None) -> Recipient | None:
    from store.database import read_scope
    from store.recipients import get_recipient

    if not address:
        return None
    with read_scope(installation.engine) as session:
        return get_recipient(session, address)


def _loaded(installation: Installation, number: int) -> Any:
    from store.database import read_scope
    from store.issues import issue_by_number

    with read_scope(installation.engine) as session:
        issue = issue_by_number(session, number)
    if issue is None:
        raise click.ClickException(f"there is no issue {number}; `parknews issue list` shows them")
    return issue


def _headline(issue: Any) -> str:
    late = "，补发" if issue.late else ""
    return f"{issue.year}年第{issue.year_number}期（总第{issue.number}期{late}）: {len(issue.stories)} stories, composed {issue.composed_at:%Y-%m-%d %H:%M} UTC"
