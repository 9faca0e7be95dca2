"""The daemon's log: one line an event on standard error, times in UTC, as text or as JSON with run and source."""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from datetime import UTC, datetime
from typing import ClassVar

#: Handed to crawling children, so that they log as their daemon does.
JSON_VARIABLE, VERBOSE_VARIABLE = "PARKNEWS_JSON_LOGS", "PARKNEWS_VERBOSE"


#: Control characters, those of C1 and the two line separators, as they are written in a program.
_CONTROLS = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, run, message; where they apply source, job and traceback."""

    #: names this process: lines of one run belong together
    run: ClassVar[str] = uuid.uuid4().hex[:8]
    #: what all of this process is about, when it visits one source
    source: ClassVar[str | None] = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "run": self.run,
            "message": record.getMessage(),
        }
        for name, own in (("source", self.source), ("job", None)):
            if (value := getattr(record, name, own)) is not None:
                line[name] = str(value)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line a record, times in UTC. What comes from outside can neither begin a line of its own nor steer a terminal."""

    converter = staticmethod(time.gmtime)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line; a traceback follows on lines of its own."""
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record)


def set_up_logging(verbose: bool, json_lines: bool = False) -> None:
    """Log INFO (DEBUG when verbose) of this product and WARNING of libraries to standard error."""
    text = TextFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if json_lines else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # a tick that finds the last one still at work is no news
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for package in ("crawler", "scheduler", "store", "digest"):
        logging.getLogger(package).setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.captureWarnings(True)
    os.environ[JSON_VARIABLE] = "1" if json_lines else ""
    os.environ[VERBOSE_VARIABLE] = "1" if verbose else ""


def set_up_as_parent() -> None:
    """Log as the daemon that started this process does."""
    set_up_logging(bool(os.environ.get(VERBOSE_VARIABLE)), bool(os.environ.get(JSON_VARIABLE)))
