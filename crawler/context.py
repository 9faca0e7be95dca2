"""What a crawl works with: configuration, database, classifier, clock. Made once per process, handed down, never global."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from crawler.sources.kinds import AnySource
from crawler.sources.loader import load_sources
from store.config import Config
from store.database import Engine, make_engine, session_scope
from store.sources import sync_sources

if TYPE_CHECKING:
    from crawler.classify.classify import Classifier
    from crawler.ingest import Clock


def utc_now() -> datetime:
    """Return the current moment: the one place where a crawl looks at the clock."""
    return datetime.now(UTC)


def classifier_for(config: Config) -> Classifier:
    """Return the classifier that a configuration asks for. Raises VocabularyError naming file and line."""
    from crawler.classify.classify import load_classifier

    folder = config.classify.vocabulary
    return load_classifier(config.resolve(folder) if folder else None, threshold=config.classify.threshold)


@dataclass
class CrawlContext:
    """Everything a crawl needs from outside; the parts that cost time are made when first used."""

    config: Config
    now: Clock = utc_now
    #: numbers of the sources' rows by name; filled when `sources` is first used
    source_ids: dict[str, int] = field(default_factory=dict)
    #: the one source of a child, whose row its parent has made agree and numbered in `source_ids`
    only: AnySource | None = None

    @cached_property
    def engine(self) -> Engine:
        """The database, brought up to date; for the only source its parent has done that."""
        engine = make_engine(self.config.database_url)
        if self.only is None:
            from store.schema import ensure

            ensure(engine)
        return engine

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier with the office's vocabulary and threshold."""
        return classifier_for(self.config)

    @cached_property
    def sources(self) -> list[AnySource]:
        """All configured sources, their rows made to agree; or the only one."""
        if self.only is not None:
            return [self.only]
        sources = load_sources(self.config)
        with session_scope(self.engine) as session:
            rows = sync_sources(session, sources, self.config.daemon.interval_minutes * 60, self.now())
            self.source_ids = {name: row.id for name, row in rows.items()}
        return sources
