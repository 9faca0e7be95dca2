"""`parknews template check`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def template_command() -> None:
    """The digest's templates."""


@template_command.command("check")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False))
def check(folder: str | None) -> None:
    """Render every template with sample data; name file and line of what is wrong. Exit code 1 when something is."""
    from digest.checking import check_templates
    from store.config import load_config

    config = load_config()
    own = str(config.resolve(config.digest.templates)) if config.digest.templates else ""
    chosen = folder or own
    problems = check_templates(Path(chosen or str(files("digest") / "templates")))
    click.echo(
        "\n".join(problems)
        if problems
        else f"all templates render{f' with those of {chosen}' if chosen else ''}"
    )
    if problems:
        raise SystemExit(1)
