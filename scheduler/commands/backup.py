"""`parknews backup` and `parknews restore`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE when it is there already.")
def backup_command(file: Path, force: bool) -> None:
    """Write everything that is kept into FILE, also while the daemon runs; the file is read back and checked.

    It holds addresses and the keys of personal links: keep it as safe as the database. Not in it: parknews.toml,
    sources.toml, secrets, the folder of issues.
    """
    from scheduler.context import open_installation
    from store.backup import write_backup

    manifest = write_backup(open_installation().engine, file, datetime.now(UTC), replace=force)
    size = file.stat().st_size / 2**20
    click.echo(f"{file}: {manifest.total} rows, {size:.1f} MB, schema {manifest.schema}, checked")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace everything the database holds.")
@click.option("--check", is_flag=True, help="Only read FILE and say what it holds.")
def restore_command(file: Path, force: bool, check: bool) -> None:
    """Fill the configured database, which must be empty, from FILE. All or nothing. Stop the daemon first."""
    from scheduler.context import open_installation
    from store.backup import read_manifest, restore_backup

    manifest = read_manifest(file) if check else restore_backup(open_installation().engine, file, force=force)
    counts = ", ".join(f"{count} {name}" for name, count in manifest.rows.items() if count)
    click.echo(f"{file} of {manifest.made_at} from {manifest.database}: {counts or 'no rows'}")
    click.echo("whole" if check else "restored")
