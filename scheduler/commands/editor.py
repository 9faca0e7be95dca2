"""`parknews editor`: who may open the editors' desk and the status page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def editor_command() -> None:
    """Accounts of the editors' desk. Passwords are asked for, or read from a file; never given on the command line."""


_password_file = click.option(
    "--password-file",
    type=click.File("r", encoding="utf-8"),
    help="Read the password from the first line of this file (- for standard input).",
)


def _password(file: Any) -> str:
    if file is not None:
        return str(file.readline(1000)).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@editor_command.command("add")
@click.argument("name")
@_password_file
def add(name: str, password_file: Any) -> None:
    """Make an account for NAME."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.editors import add_editor

    engine, password = open_installation().engine, _password(password_file)
    with session_scope(engine) as session:
        click.echo(f"added {add_editor(session, name, password, datetime.now(UTC), operator()).name}")


@editor_command.command("password")
@click.argument("name")
@_password_file
def password(name: str, password_file: Any) -> None:
    """Change NAME's password; whoever is logged in as NAME is logged out."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.editors import set_password

    engine, given = open_installation().engine, _password(password_file)
    with session_scope(engine) as session:
        set_password(session, name, given, datetime.now(UTC), operator())
    click.echo(f"changed the password of {name}")


@editor_command.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Delete NAME's account; what NAME did stays in the audit trail."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.editors import remove_editor

    with session_scope(open_installation().engine) as session:
        remove_editor(session, name, datetime.now(UTC), operator())
    click.echo(f"removed {name}")


@editor_command.command("list")
def list_all() -> None:
    """List the accounts with their last login."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.editors import list_editors

    installation = open_installation()
    with read_scope(installation.engine) as session:
        for row in list_editors(session):
            seen = row.last_login_at
            last = f"{seen.astimezone(installation.config.zone_info):%Y-%m-%d %H:%M}" if seen else "never"
            click.echo(f"{row.name:24} last login {last}")
