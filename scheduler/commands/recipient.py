"""`parknews recipient`: who receives the digest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.models import Recipient


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def recipient_command() -> None:
    """Recipients. Those named in parknews.toml are managed there."""


def _wishes(command: Any) -> Any:
    for option in (
        click.option("--zone", "zones", multiple=True, help="Only this zone (may be repeated)."),
        click.option("--theme", "themes", multiple=True, help="Only this theme (may be repeated)."),
        click.option("--province", "provinces", multiple=True, help="Only this province (may be repeated)."),
        click.option("--channel", "channels", multiple=True, help="Delivery channel (default: mail)."),
        click.option("--word", is_flag=True, help="Attach the Word briefing."),
        click.option("--send-empty", is_flag=True, help="Send a note in weeks without a story."),
    ):
        command = option(command)
    return command


@recipient_command.command("add")
@click.argument("address")
@click.option("--name", default="", help="The name in the To line.")
@_wishes
def add(
    address: str,
    name: str,
    zones: tuple[str, ...],
    themes: tuple[str, ...],
    provinces: tuple[str, ...],
    channels: tuple[str, ...],
    word: bool,
    send_empty: bool,
) -> None:
    """Add ADDRESS. Refused when it is no address, is there already, or was erased."""
    from scheduler.context import open_installation, operator
    from store.config import CHANNELS, RecipientEntry
    from store.database import session_scope
    from store.recipients import add_recipient

    if unknown := set(channels) - set(CHANNELS):
        raise click.UsageError(f"no channel {min(unknown)!r}; there are {', '.join(CHANNELS)}")
    entry = RecipientEntry(
        address=address,
        name=name,
        zones=list(zones),
        themes=list(themes),
        provinces=list(provinces),
        channels=list(channels),
        word=word,
        send_empty=send_empty,
    )
    with session_scope(open_installation().engine) as session:
        added = add_recipient(session, entry, datetime.now(UTC), operator())
        click.echo(f"added {added.address}")


@recipient_command.command("list")
def list_all() -> None:
    """List all recipients with their state and wishes."""
    from scheduler.context import open_installation
    from store.database import session_scope
    from store.recipients import list_recipients, sync_recipients

    installation = open_installation()
    with session_scope(installation.engine) as session:
        sync_recipients(session, installation.config.recipient, datetime.now(UTC))
        for row in list_recipients(session):
            click.echo(f"{row.address:36} {_state(row):12} {_cut(row)}")


def _state(row: Recipient) -> str:
    if row.suppressed_at:
        return f"suppressed ({row.suppressed_reason})"
    if row.unsubscribed_at:
        return "unsubscribed"
    return "active" if row.active else "removed"


def _cut(row: Recipient) -> str:
    wishes = " ".join([*row.zones, *row.themes, *row.provinces]) or "everything"
    return f"{wishes} by {', '.join(row.channels)}" if row.channels else wishes


@recipient_command.command("show")
@click.argument("address")
def show(address: str) -> None:
    """Show everything kept about ADDRESS, as JSON."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.recipients import export_person

    with read_scope(open_installation().engine) as session:
        click.echo(json.dumps(export_person(session, address), ensure_ascii=False, indent=2, default=str))


@recipient_command.command("remove")
@click.argument("address")
@click.option("--erase", is_flag=True, help="Also erase everything kept about the address.")
def remove(address: str, erase: bool) -> None:
    """Stop sending to ADDRESS. Erased addresses stay away from imports too."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.erasure import erase_person
    from store.recipients import normalise_address, remove_recipient

    kept, engine = normalise_address(address), open_installation().engine
    if not erase:
        with session_scope(engine) as session:
            remove_recipient(session, kept, datetime.now(UTC), operator())
        click.echo(f"removed {kept}")
        return
    done = erase_person(engine, kept, datetime.now(UTC), operator())
    if done.remains:
        raise click.ClickException(f"{kept} is erased, but not every byte of it: {done.remains}")
    if not done.known:
        raise click.ClickException(f"nothing is kept about {kept}")
    click.echo(f"erased {kept}")


@recipient_command.command("reactivate")
@click.argument("address")
def reactivate(address: str) -> None:
    """Send to ADDRESS again, whatever stopped it: a bounce, a removal, an unsubscription, an erasure."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.recipients import normalise_address
    from store.recipients import reactivate as let_back

    kept = normalise_address(address)
    with session_scope(open_installation().engine) as session:
        row = let_back(session, kept, datetime.now(UTC), operator())
    click.echo(
        f"{kept} is written to again"
        if row
        else f"{kept} was erased; `parknews recipient add` may now add it again"
    )


@recipient_command.command("link")
@click.argument("address")
@click.option("--new", is_flag=True, help="First make every link sent so far worthless, e.g. after a leak.")
def link(address: str, new: bool) -> None:
    """Show the personal links of ADDRESS; whoever has them can act for the person."""
    from digest.parcels import links_for
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.recipients import get_recipient, revoke_links

    installation = open_installation()
    with session_scope(installation.engine) as session:
        row = get_recipient(session, address)
        if new:
            revoke_links(session, row, datetime.now(UTC), operator())
        links = links_for(installation.config, row)
    if not links.archive:
        raise click.ClickException("no links: set [digest] public_url and PARKNEWS_WEB_SECRET")
    click.echo(f"preferences {links.preferences}")
    click.echo(f"unsubscribe {links.unsubscribe}")
    click.echo(f"archive     {links.archive}/{links.suffix}")


@recipient_command.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
def import_file(path: str) -> None:
    """Add the recipients of a CSV file, all of them or none.

    Its first line names the columns, in English or Chinese: address (邮箱), name (姓名), zones (高新区), themes (主题), provinces
    (省份), channels (渠道), word (附简报), send_empty (空期也发). Lists within a cell are parted by ; or 、. UTF-8 or GB18030.
    """
    from pathlib import Path

    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.recipient_csv import ImportFailed, import_csv

    try:
        content = Path(path).read_bytes()
        with session_scope(open_installation().engine) as session:
            added, known = import_csv(session, content, path, datetime.now(UTC), operator())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from None
    except ImportFailed as failed:
        for line in failed.errors:
            click.echo(line, err=True)
        raise click.ClickException(f"nothing was imported; {len(failed.errors)} faults") from None
    click.echo(f"{len(added)} added, {len(known)} were there already")


@recipient_command.command("export")
def export() -> None:
    """Write all recipients as CSV to standard output, as `import` reads it."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.recipient_csv import export_csv

    with read_scope(open_installation().engine) as session:
        click.echo(export_csv(session), nl=False)
