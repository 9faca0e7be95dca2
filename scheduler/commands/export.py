"""`parknews export`: what is kept, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scheduler.commands.output import opened, output_option


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kind", type=click.Choice(["articles", "stories", "issues"]))
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl", "xlsx", "rss"]), default="csv", show_default=True
)
@output_option
@click.option("--text", "with_text", is_flag=True, help="With the articles' texts.")
@click.option("--relevant", is_flag=True, help="Only what is relevant.")
def export_command(kind: Any, form: str, output: Path | None, with_text: bool, relevant: bool) -> None:
    """Write all articles or stories, or what the issues told, one row each; rss: the issues as a feed."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.export import columns_of, rows_of, write_csv, write_jsonl, write_rss, write_xlsx

    if form == "rss" and kind != "issues":
        raise click.UsageError("only issues can be written as RSS")
    installation = open_installation()
    columns = columns_of(kind, with_text=with_text)
    with opened(output, form) as out, read_scope(installation.engine) as session:
        if form == "rss":
            count = write_rss(
                session,
                out,
                title=installation.config.office.name,
                link=installation.config.digest.public_url,
            )
        else:
            write = {"csv": write_csv, "jsonl": write_jsonl, "xlsx": write_xlsx}[form]
            count = write(rows_of(session, kind, with_text=with_text, relevant=relevant), columns, out)
    click.echo(
        f"{count} {kind if form == 'rss' or kind != 'issues' else 'stories of issues'} written", err=True
    )
