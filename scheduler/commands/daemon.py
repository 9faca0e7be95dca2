"""`parknews daemon`."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Log every tick's work.")
@click.option("--json-logs", is_flag=True, help="One JSON object a line, with run and source.")
def daemon_command(verbose: bool, json_logs: bool) -> None:
    """Crawl what is due, compose the issue at its hour, deliver, watch; until SIGTERM.

    A second daemon on the same database stands by and takes over when the first is gone.
    """
    from crawler.context import utc_now
    from crawler.sources.loader import load_sources
    from scheduler.context import open_installation
    from scheduler.daemon import Daemon
    from scheduler.environment import queue_fault
    from scheduler.logs import set_up_logging
    from store.config import ConfigError

    set_up_logging(verbose, json_logs)
    installation = open_installation()
    load_sources(installation.config)  # a faulty file is an error now, not a log line later
    if installation.config.daemon.workers and (fault := queue_fault(installation.config.database_url)):
        raise ConfigError(f"{fault}; `parknews doctor` tells the way out")
    daemon = Daemon(installation, utc_now)
    daemon.run()
    if (
        daemon.busy
    ):  # a thread that hangs in a connection would keep the process alive; the ledger bears being cut off
        os._exit(0)
