"""The daemon's log: one line an event on standard error, times in UTC."""

from __future__ import annotations

import logging
import time


def set_up_logging(verbose: bool) -> None:
    """Log INFO (DEBUG when verbose) of this product and WARNING of libraries to standard error."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # a tick that finds the last one still at work is no news
    for package in ("crawler", "scheduler", "store", "digest"):
        logging.getLogger(package).setLevel(logging.DEBUG if verbose else logging.INFO)
