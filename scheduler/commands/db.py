"""`parknews db`: the schema."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def db_command() -> None:
    """The database's schema. Other commands upgrade it by themselves."""


@db_command.command("upgrade")
def upgrade() -> None:
    """Bring the database up to date; may be repeated."""
    from scheduler.context import open_installation
    from store.schema import current

    click.echo(f"schema {current(open_installation().engine)}")


@db_command.command("check")
def check() -> None:
    """Compare the database with what this version expects; exit code 1 when they differ."""
    from scheduler.context import open_installation
    from store.schema import current, differences, head

    engine = open_installation().engine
    found = differences(engine)
    click.echo(f"schema {current(engine)} (newest {head()}), {len(found)} difference(s)")
    click.echo("\n".join(f"  {line}" for line in found), nl=bool(found))
    if found:
        raise SystemExit(1)


@db_command.command("revision")
@click.argument("effect")
def revision(effect: str) -> None:
    """Write a migration called EFFECT for what the models have beyond the database (for developers)."""
    from store.config import load_config
    from store.database import make_engine
    from store.schema import write_revision

    click.echo(write_revision(make_engine(load_config().database_url), effect))
