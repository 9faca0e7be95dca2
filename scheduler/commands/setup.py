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
    from scheduler.context import Installation
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
    installation = Installation(load_config(str(place / STARTER[0])))
    click.echo(
        f"schema  {current(installation.engine)} in {installation.engine.url.render_as_string(hide_password=True)}"
    )
    click.echo(
        "Next: put recipients and mail server into parknews.toml, sources into sources.toml; then `parknews doctor`, `parknews crawl`, `parknews issue preview`."
    )


@click.command()
@click.option("--deadman", is_flag=True, help="Only say whether issues still go out; for cron.")
@click.option(
    "--test-alarm", is_flag=True, help="Only send a test alarm to every operator and say who got it."
)
def doctor_command(deadman: bool, test_alarm: bool) -> None:
    """Check this installation; every fault with its way out. Exit code 1 when something is wrong.

    With --deadman: silent and 0 while a daemon runs and the latest issue went out within half an hour of its hour; else the
    reasons on standard error, the operators told once, and 1.
    """
    if deadman:
        _deadman()
        return
    if test_alarm:
        _test_alarm()
        return
    from scheduler.environment import environment

    findings = environment()
    if all(finding.ok for finding in findings):
        from scheduler.doctor import examine

        findings += examine(datetime.now(UTC))
    for finding in findings:
        click.echo(f"{finding.word:4} {finding.what}: {finding.detail}")
        for remedy in finding.remedies or ():
            click.echo(f"     -> {remedy}")
    wrong = sum(not finding.ok for finding in findings)
    click.echo(f"{len(findings) - wrong} of {len(findings)} checks passed")
    if wrong:
        raise SystemExit(1)


def _deadman() -> None:
    from scheduler.context import open_installation
    from scheduler.monitors import deadman, report_alerts

    installation, now = open_installation(), datetime.now(UTC)
    findings = deadman(installation, now)
    for finding in findings:
        click.echo(f"{finding.kind} {finding.subject}: {finding.detail}", err=True)
    report_alerts(installation, now)
    if findings:
        raise SystemExit(1)


def _test_alarm() -> None:
    from digest.alarms import alarm_targets, send_alarms
    from store.config import load_config

    config, now = load_config(), datetime.now(UTC)
    line = {
        "state": "raised",
        "kind": "测试告警",
        "subject": "parknews doctor --test-alarm",
        "detail": "收到即表示告警可以送达",
        "at": f"{now.astimezone(config.zone_info):%Y-%m-%d %H:%M}",
    }
    targets = alarm_targets(config)
    faults = send_alarms(config, {target: [line] for target in targets}, now)
    for target in config.operators:
        told = faults.get(target, "no mail server is configured")
        click.echo(f"{'FAIL' if told else 'ok':4} {target}{f': {told}' if told else ''}")
    if not config.operators:
        click.echo("FAIL operators: nobody is named in `operators` of parknews.toml")
    if not targets or any(faults.values()):
        raise SystemExit(1)
