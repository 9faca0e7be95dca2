"""The sources file as a long-running process follows it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.context import Installation
from store.config import Config
from store.database import session_scope
from store.sources import sync_sources

if TYPE_CHECKING:
    from crawler.sources.kinds import AnySource

logger = logging.getLogger(__name__)
#: Rows are made to agree with an unchanged file this often: somebody may have changed the rows.
SYNC_EVERY = timedelta(hours=1)


@dataclass
class SourcesFile:
    """The sources by name; read again when the file changes. A faulty file gives none, and is told of once."""

    sources: Mapping[str, AnySource] = field(default_factory=dict)
    at: datetime | None = None
    _seen: tuple[object, ...] | None = None
    _fault: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, config: Config) -> Mapping[str, AnySource]:
        """Return the sources by name, none while the file is faulty."""
        with self._lock:
            self._read(config)
            return self.sources

    def follow(self, installation: Installation, now: datetime) -> Mapping[str, AnySource]:
        """Like `read`, with the database made to agree when the file was changed, and once an hour."""
        with self._lock:
            self._read(installation.config)
            if not self._fault and (self.at is None or not timedelta() <= now - self.at < SYNC_EVERY):
                seconds = installation.config.daemon.interval_minutes * 60
                with session_scope(installation.engine) as session:
                    sync_sources(session, list(self.sources.values()), seconds, now)
                self.at = now
            return self.sources

    def _read(self, config: Config) -> None:
        from crawler.sources.loader import load_sources

        if (seen := _signature(config)) == self._seen:
            return
        try:
            self.sources = {source.name: source for source in load_sources(config)}
        except ValueError as error:
            if str(error) != self._fault:
                logger.error("no crawl begins until this is corrected: %s", error)  # noqa: TRY400  the message is all of it
            self.sources, self._fault, self._seen = {}, str(error), None
        else:
            self._seen, self._fault, self.at = seen, "", None


def _signature(config: Config) -> tuple[object, ...]:
    path = config.resolve(config.crawl.sources)
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists())
