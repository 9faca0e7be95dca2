"""Visit many sources for a person who waits: a child each, several at once, never two on one host."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crawler.tally import Tally
from scheduler.crawls import ChildCrawl, Rests, fork_server, start_visit
from scheduler.forkserver import end_all, wait_for
from store.database import session_scope
from store.sources import CHILD_DIED, close_lost, find_source

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from crawler.sources.kinds import AnySource


@dataclass
class Visits:
    """The sources of one command: those that wait, those that are being visited, and what came of each."""

    context: CrawlContext
    waiting: list[AnySource]
    at_once: int
    log_level: str
    running: list[ChildCrawl] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    _rests: Rests = field(default_factory=Rests)
    _reported: set[str] = field(default_factory=set)

    def run(self, on_progress: Callable[[Collection[Tally], int], None]) -> dict[str, Tally]:
        """Visit them all and return what each visit came to; after SIGINT or SIGTERM only those that had begun."""
        server = fork_server(self.context.config)
        try:
            with self._ending_in_order():
                while self.running or (self.waiting and not self.stopping):
                    while (source := self._next()) is not None:
                        child = start_visit(
                            server,
                            source,
                            self.context.source_ids[source.name],
                            log_level=self.log_level,
                            mine=False,
                        )
                        self.running.append(ChildCrawl(source.name, source.host, self.context.now(), child))
                    wait_for([crawl.child for crawl in self.running], 1.0)
                    self.running = [crawl for crawl in self.running if not self._ended(crawl)]
                    if self.stopping:
                        for crawl in self.running:
                            crawl.child.end()
                    on_progress(self.tallies.values(), sum(self.queued.values()))
        finally:
            end_all([crawl.child for crawl in self.running])
            server.close()
        return self.tallies

    def _next(self) -> AnySource | None:
        """Take the next source whose host nobody of ours visits, None when none may begin now."""
        busy = {crawl.host for crawl in self.running if crawl.host} | self._rests.hosts()
        if len(self.running) < self.at_once and not self.stopping:
            for number, source in enumerate(self.waiting):
                if source.host not in busy:
                    return self.waiting.pop(number)
        return None

    def _ended(self, crawl: ChildCrawl) -> bool:
        ended = crawl.ended(self.context.config.crawl.wall_seconds)
        for report in crawl.child.reports:
            self.tallies[crawl.name] = Tally.from_report(report["tally"])
            self.queued[crawl.name] = report.get("waiting", 0)
            if "last" in report:
                self._reported.add(crawl.name)
        crawl.child.reports.clear()
        if ended:
            self._rests.begin(crawl.host, self.context.config.crawl.delay if crawl.host else 0)
        if ended and crawl.name not in self._reported and not self.stopping:
            self._lost(crawl)
        return ended

    def _lost(self, crawl: ChildCrawl) -> None:
        """Count a visit whose process ended without a word, and record it unless the process had done so."""
        self.tallies.setdefault(crawl.name, Tally()).fail(CHILD_DIED, crawl.fate, is_list=True)
        self.queued[crawl.name] = 0
        with session_scope(self.context.engine) as session:
            source = find_source(session, crawl.name)
            if source and (source.checked_at is None or source.checked_at < crawl.held_until):
                close_lost(session, source.id, self.context.now(), crawl.fate)

    @contextmanager
    def _ending_in_order(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the visits that run, and begin no other."""

        def stop(*_: Any) -> None:
            self.stopping = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def crawl_each(
    context: CrawlContext,
    sources: Sequence[AnySource],
    at_once: int,
    log_level: str,
    on_progress: Callable[[Collection[Tally], int], None],
) -> dict[str, Tally]:
    """Visit the sources, `at_once` of them at a time, and return what each visit came to.

    A visit that fails, crashes or takes too long is its source's own matter.
    """
    _ = context.sources  # their rows exist before the first child asks for its own
    return Visits(context, list(sources), at_once, log_level).run(on_progress)
