"""`parknews init` and `parknews doctor`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click

STARTER = ("parknews.toml", "sources.toml", "scrapy.cfg")


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False))
def init_command(folder: str) -> None:
    """Write parknews.toml and sources.toml into FOLDER and make the database. Existing files stay as they are."""
    from scheduler.context import Store
    from store.config import load_config
    from store.schema import current

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    (place / "inbox").mkdir(exist_ok=True)
    for name in STARTER:
        target = place / name
        if target.exists():
            click.echo(f"kept    {target}")
        else:
            target.write_text(
                files("scheduler.starter").joinpath(name).read_text(encoding="utf-8"), encoding="utf-8"
            )
            click.echo(f"wrote   {target}")
    store = Store(load_config(str(place / STARTER[0])))
    click.echo(f"schema  {current(store.engine)} in {store.engine.url.render_as_string(hide_password=True)}")
    click.echo(
        "Next: put recipients and mail server into parknews.toml, sources into sources.toml; then `parknews doctor`, `parknews crawl`, `parknews issue preview`."
    )


@click.command()
def doctor_command() -> None:
    """Check this installation; every fault with its way out. Exit code 1 when something is wrong."""
    from scheduler.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}: {finding.detail}")
    wrong = sum(not finding.ok for finding in findings)
    click.echo(f"{len(findings) - wrong} of {len(findings)} checks passed")
    if wrong:
        raise SystemExit(1)
