"""The one spider: it visits a batch of sources, each in the way its kind is walked."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.exceptions import DontCloseSpider

from crawler.context import CrawlContext
from crawler.resolver import internal_hosts
from crawler.sources.kinds import AnySource
from crawler.spiders.rechecks import Rechecks
from crawler.spiders.walk import Output, Walk
from crawler.spiders.walks import walk_for
from crawler.tally import Tally
from store.clock import clock_fault
from store.config import load_config

#: So many more objects than before make Python look for cycles that nothing holds. A page's tree has thousands and no cycle:
#: with the usual 700 the search took a fifth of a crawl's CPU time, with these figures the same memory and next to no time.
COLLECT_AFTER = (10_000, 10, 10)


class SourceSpider(scrapy.Spider):
    """Visits `sources`; `scrapy crawl NAME` makes one with the single source of that name."""

    name = "sources"
    sources: ClassVar[Sequence[AnySource]] = ()

    def __init__(
        self,
        *args: Any,
        sources: Sequence[AnySource] | None = None,
        context: CrawlContext | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.context = context or CrawlContext(load_config())
        self.batch = list(sources if sources is not None else self.sources)
        internal_hosts.update(
            urlsplit(url).hostname or ""
            for source in self.batch
            if source.internal
            for url in source.start_urls
        )
        self.tallies = {source.name: Tally() for source in self.batch}
        self.walks: dict[str, Walk] = {}
        self.rechecks = Rechecks(self.context, self.walks)
        if fault := clock_fault(self.context.now()):
            self.give_up("wrong_clock", fault)

    def give_up(self, word: str, fault: str) -> None:
        """Visit nothing: no visit goes without its host's lease, its record and a moment that can be."""
        if self.batch:
            self.logger.error("no crawl: %s", fault)
        for source in self.batch:
            self.tallies[source.name].fail(word, fault, is_list=True)
        self.batch.clear()

    def look_again(self) -> None:
        """Once everything was asked for: look again at a few articles of the last days. Raises DontCloseSpider when there are any."""
        requests = self.rechecks.requests()
        for request in requests:
            self.crawler.engine.crawl(request)
        if requests:
            raise DontCloseSpider

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests of every source, and the articles of folders."""
        if self.batch:
            _ = self.context.sources  # rows exist before the first page comes
        gc.freeze()  # what was imported stays
        gc.set_threshold(*COLLECT_AFTER)
        # Only now, when the pipeline listens already: what was read must be kept before it is looked at again.
        self.crawler.signals.connect(self.look_again, signal=signals.spider_idle)
        for source in self.batch:
            walk = self.walks[source.name] = walk_for(self, source)
            for output in self.first_outputs(walk):
                yield output

    def first_outputs(self, walk: Walk) -> list[Output]:
        """Return what a source's visit begins with; a source that cannot even begin does not keep the others from it."""
        try:
            return list(walk.start())
        except Exception as error:
            self.logger.exception("source %s: the visit could not begin", walk.source.name)
            walk.tally.fail("exception", f"{type(error).__name__}: {error}", is_list=True)
            return []
