"""One spider name per configured source: what `scrapy list` shows and `scrapy crawl NAME` runs."""

from __future__ import annotations

import builtins
from functools import cached_property
from typing import Any, Self

import scrapy

from crawler.sources.kinds import KINDS, AnySource
from crawler.sources.loader import load_sources
from crawler.spiders.base import SourceSpider
from store.config import load_config


class SourceSpiderLoader:
    """NAME is a source, or a kind: then all enabled sources of that kind."""

    @cached_property
    def _sources(self) -> dict[str, AnySource]:
        """The configured sources; read when a name is asked for, which a child never does."""
        return {source.name: source for source in load_sources(load_config())}

    @classmethod
    def from_settings(cls, settings: Any) -> Self:  # noqa: ARG003
        """Return a loader over the configured sources. Its other methods raise ConfigError for a file that cannot be used."""
        return cls()

    def list(self) -> list[str]:
        """Return the names of all configured sources."""
        return sorted(self._sources)

    def load(self, spider_name: str) -> type[scrapy.Spider]:
        """Return a spider class for this source or kind. Raises KeyError naming the way out."""
        if spider_name in self._sources:
            chosen = [self._sources[spider_name]]
        else:
            chosen = [
                source for source in self._sources.values() if source.kind == spider_name and source.enabled
            ]
        if not chosen and spider_name not in KINDS:
            raise KeyError(f"no source is called {spider_name!r}; `scrapy list` shows their names")
        return type("NamedSourceSpider", (SourceSpider,), {"name": spider_name, "sources": chosen})

    def find_by_request(self, request: Any) -> builtins.list[str]:  # noqa: ARG002
        """Return nothing: a source is named, never guessed from an address."""
        return []
