"""`parknews init` and `parknews doctor`."""

from __future__ import annotations

from datetime import UTC, datetime
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
@click.option("--deadman", is_flag=True, help="Only say whether issues still go out; for cron.")
def doctor_command(deadman: bool) -> None:
    """Check this installation; every fault with its way out. Exit code 1 when something is wrong.

    With --deadman: silent and 0 while a daemon runs and the latest issue went out within half an hour of its hour; else the
    reasons on standard error, the operators told once, and 1.
    """
    if deadman:
        _deadman()
        return
    from scheduler.doctor import examine

    findings = examine(datetime.now(UTC))
    for finding in findings:
        click.echo(f"{finding.word:4} {finding.what}: {finding.detail}")
        for remedy in finding.remedies or ():
            click.echo(f"     -> {remedy}")
    wrong = sum(not finding.ok for finding in findings)
    click.echo(f"{len(findings) - wrong} of {len(findings)} checks passed")
    if wrong:
        raise SystemExit(1)


def _deadman() -> None:
    from scheduler.context import open_store
    from scheduler.monitors import deadman, report_alerts

    store, now = open_store(), datetime.now(UTC)
    findings = deadman(store, now)
    for finding in findings:
        click.echo(f"{finding.kind} {finding.subject}: {finding.detail}", err=True)
    report_alerts(store, now)
    if findings:
        raise SystemExit(1)
