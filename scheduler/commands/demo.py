"""`parknews demo`: the whole job on a sample web of this machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from scheduler.context import Installation
    from scheduler.demo.smtp import SmtpSink

#: Fixed, so that a second run meets the same addresses and knows them again.
WEB_PORT = 18460


@click.command()
@click.option(
    "--folder",
    default="var/demo",
    show_default=True,
    type=click.Path(file_okay=False),
    help="Where everything is kept.",
)
@click.option("--fresh", is_flag=True, help="Forget earlier runs first.")
def demo_command(folder: str, fresh: bool) -> None:
    """Crawl a sample web on loopback, compose the issue of the week and mail it to three recipients.

    Nothing leaves this machine. A second run fetches nothing twice and sends nothing twice.
    """
    place = Path(folder).absolute()
    if fresh and place.exists():
        shutil.rmtree(place)
    started = time.monotonic()
    run(place, _first_run(place))
    click.echo(
        f"\n{time.monotonic() - started:.1f} s. Again: `make demo` sends nothing twice; `parknews demo --fresh` starts over."
    )


def _first_run(place: Path) -> datetime:
    """Return the moment the sample web is dated from: that of the first run in this folder."""
    place.mkdir(parents=True, exist_ok=True)
    state = place / "demo.json"
    if not state.exists():
        state.write_text(
            json.dumps({"now": datetime.now(UTC).replace(second=0, microsecond=0).isoformat()}),
            encoding="utf-8",
        )
    return datetime.fromisoformat(json.loads(state.read_text(encoding="utf-8"))["now"])


def run(place: Path, now: datetime) -> None:
    """Start the sample web and the mail server, then crawl, compose, send and show."""
    from crawler.context import CrawlContext
    from scheduler.context import Installation
    from scheduler.demo.site import SampleWeb
    from scheduler.demo.smtp import SmtpSink
    from store.config import load_config

    with SampleWeb(now, port=WEB_PORT) as web, SmtpSink(place / "mail") as sink:
        if not (place / "inbox").exists():
            web.drop_folder(place / "inbox")
        else:
            web.use_folder(place / "inbox")
        (place / "sources.toml").write_text(web.sources_toml(), encoding="utf-8")
        (place / "parknews.toml").write_text(_config(now, sink.port), encoding="utf-8")
        os.environ["PARKNEWS_CONFIG"] = str(place / "parknews.toml")
        os.environ.setdefault("SCRAPY_SETTINGS_MODULE", "crawler.settings")
        config = load_config()
        click.echo(
            f"sample web of {web.counts['sources']} sources on loopback, mail server on port {sink.port}, database {config.database_url}\n"
        )
        _crawl(CrawlContext(config))
        _issue(Installation(config), sink)


def _config(now: datetime, smtp_port: int) -> str:
    from store.articles import PAGE_ZONE

    local = now.astimezone(PAGE_ZONE)
    recipients = files("scheduler.demo").joinpath("recipients.toml").read_text(encoding="utf-8")
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]
    return f"""# Written anew by every `parknews demo`.
[office]
watch_zones = ["宝鸡高新区", "马鞍山慈湖高新区", "西宁高新区"]
[database]
url = "sqlite:///parknews.db"
[crawl]
delay = 0
contact = "demo@example.org"
[digest]
weekday = "{weekday}"
hour = "{local:%H:%M}"
folder = "digest"
[mail]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "digest@example.org"
max_per_minute = 600
{recipients}"""


def _crawl(context: CrawlContext) -> None:
    from scheduler.commands.crawl import crawl_and_report

    click.echo("1. crawl")
    lines, _ = crawl_and_report(context, [source for source in context.sources if source.enabled], "ERROR")
    click.echo("\n".join(lines))


def _issue(installation: Installation, sink: SmtpSink) -> None:
    from crawler.context import utc_now
    from digest.edition import edition_for
    from digest.parcels import write_files
    from scheduler.jobs import compose_weekly, deliver
    from store.database import read_scope
    from store.deliveries import summary
    from store.issues import issue_by_id, last_issues

    click.echo("\n2. issue of the week")
    composed = compose_weekly(installation, utc_now())
    with read_scope(installation.engine) as session:
        issue = issue_by_id(session, last_issues(session, 1)[0].id)
    assert issue is not None
    paths = write_files(installation.config, edition_for(issue))
    click.echo(
        f"  {issue.year}年第{issue.year_number}期（总第{issue.number}期）: {len(issue.stories)} stories"
        + ("" if composed else "; composed before, it stays as it was frozen")
    )
    for form, path in paths.items():
        click.echo(f"  {form:5} {path}")
    click.echo("\n3. delivery")
    before = len(sink.messages())
    report = deliver(installation, utc_now)
    sent = sink.messages()[before:] if before else sink.messages()
    with read_scope(installation.engine) as session:
        states = summary(session, issue.id)
    ledger = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    click.echo(
        f"  {report.sent} sent now"
        + (
            ": every recipient has this issue already, nothing is sent twice"
            if report.sent == 0 and "sent" in states
            else ""
        )
        + f" (ledger: {ledger})"
    )
    for path in sent if report.sent else sink.messages():
        click.echo(f"  eml   {path}")
