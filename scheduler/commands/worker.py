"""`parknews worker`."""

from __future__ import annotations

import click


@click.command()
@click.option("--at-once", type=click.IntRange(1, 64), default=2, show_default=True, help="Crawls at a time.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.option("--json-logs", is_flag=True, help="One JSON object a line, with run and source.")
def worker_command(at_once: int, verbose: bool, json_logs: bool) -> None:
    """Take source crawls from the queue until SIGTERM; any number of workers, on any number of machines.

    Needs PostgreSQL, the extra parknews[workers], and a daemon with [daemon] workers = true that fills the queue.
    """
    from crawler.context import utc_now
    from scheduler.context import open_installation
    from scheduler.logs import set_up_logging

    try:
        from scheduler.workers import Worker
    except ImportError as error:
        raise click.ClickException(f"{error.name} is missing: pip install 'parknews[workers]'") from error
    set_up_logging(verbose, json_logs)
    Worker(open_installation(), utc_now, at_once).run()
