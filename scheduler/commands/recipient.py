"""`parknews recipient`: who receives the digest."""

from __future__ import annotations

import csv
import json
import sys
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
    """Add ADDRESS. Refused when it is no address, is there already, or is suppressed."""
    from scheduler.context import open_store, operator
    from store.config import RecipientEntry
    from store.database import session_scope
    from store.recipients import add_recipient

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
    with session_scope(open_store().engine) as session:
        added = add_recipient(session, entry, datetime.now(UTC), operator())
        click.echo(f"added {added.address}")


@recipient_command.command("list")
def list_all() -> None:
    """List all recipients with their state and wishes."""
    from scheduler.context import open_store
    from store.database import session_scope
    from store.recipients import list_recipients, sync_recipients

    store = open_store()
    with session_scope(store.engine) as session:
        sync_recipients(session, store.config.recipient, datetime.now(UTC))
        for row in list_recipients(session):
            click.echo(f"{row.address:36} {_state(row):12} {_cut(row)}")


def _state(row: Recipient) -> str:
    if row.suppressed_at:
        return "suppressed"
    if row.unsubscribed_at:
        return "unsubscribed"
    return "active" if row.active else "removed"


def _cut(row: Recipient) -> str:
    return " ".join([*row.zones, *row.themes, *row.provinces]) or "everything"


@recipient_command.command("show")
@click.argument("address")
def show(address: str) -> None:
    """Show everything kept about ADDRESS, as JSON."""
    from scheduler.context import open_store
    from store.database import session_scope
    from store.recipients import export_person

    with session_scope(open_store().engine) as session:
        click.echo(json.dumps(export_person(session, address), ensure_ascii=False, indent=2, default=str))


@recipient_command.command("remove")
@click.argument("address")
@click.option("--erase", is_flag=True, help="Also erase everything kept about the address.")
def remove(address: str, erase: bool) -> None:
    """Stop sending to ADDRESS."""
    from scheduler.context import open_store, operator
    from store.database import session_scope
    from store.recipients import erase as erase_person
    from store.recipients import remove_recipient

    with session_scope(open_store().engine) as session:
        if erase:
            erase_person(session, address, datetime.now(UTC), operator())
        else:
            remove_recipient(session, address, datetime.now(UTC), operator())
        click.echo(f"{'erased' if erase else 'removed'} {address}")


@recipient_command.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
def import_file(path: str) -> None:
    """Add the recipients of a CSV file with the columns address,name,zones,themes,provinces,word,send_empty."""
    from pathlib import Path

    from scheduler.context import open_store, operator
    from store.database import session_scope
    from store.recipient_csv import import_csv

    content = Path(path).read_bytes()
    with session_scope(open_store().engine) as session:
        added, known = import_csv(session, content, path, datetime.now(UTC), operator())
    click.echo(f"{len(added)} added, {len(known)} were there already")


@recipient_command.command("export")
def export() -> None:
    """Write all recipients as CSV to standard output."""
    from scheduler.context import open_store
    from store.database import read_scope
    from store.recipients import list_recipients

    writer = csv.writer(sys.stdout)
    writer.writerow(["address", "name", "zones", "themes", "provinces", "word", "send_empty", "state"])
    with read_scope(open_store().engine) as session:
        for row in list_recipients(session):
            writer.writerow(
                [
                    row.address,
                    row.name,
                    " ".join(row.zones),
                    " ".join(row.themes),
                    " ".join(row.provinces),
                    row.word,
                    row.send_empty,
                    _state(row),
                ]
            )
