"""Where the CPU of a crawl goes: the time of its steps, each without the steps inside it, measured in the crawl itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

#: (step, module and name of the function that is it); a function inside another one's counts for its own step only.
STEPS = (
    ("lists", "crawler.spiders.portal:PortalWalk.read_list"),
    ("extract", "crawler.pages.reading:read_page"),
    ("classify", "crawler.classify.classify:Classifier.classify"),
    ("match", "store.stories:assign_story"),
    ("match", "store.stories:reassign"),
    ("match", "store.story_index:expect"),
    ("match", "store.story_batch:write_now"),
    ("search index", "store.search_index:keep_up"),
    ("commit", "sqlalchemy.engine.default:DefaultDialect.do_commit"),
    ("store", "crawler.pipelines:StorePipeline.process_item"),
    ("store", "crawler.pipelines:StorePipeline.flush"),
    ("records", "crawler.extensions:CrawlRecorder.spider_closed"),
)
#: Order in which steps are printed; what is left is the engine, downloads and the walk over links.
ORDER = ("start", "lists", "extract", "classify", "match", "store", "search index", "commit", "records")


@dataclass
class Stages:
    """Seconds of CPU by step; `start` is everything before the spider opens."""

    seconds: dict[str, float] = field(default_factory=dict)
    _running: list[str] = field(default_factory=list)
    _since: float = 0.0

    def note(self, step: str, seconds: float) -> None:
        """Add to a step."""
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is spent in the block for `name`, and not for the step around it."""
        self._turn()
        self._running.append(name)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def _turn(self) -> None:
        now = process_time()
        if self._running:
            self.note(self._running[-1], now - self._since)
        self._since = now

    def install(self) -> None:
        """Put every step's function in a wrapper, wherever it was imported to."""
        from scrapy import Spider

        for step, place in STEPS:
            module, _, name = place.partition(":")
            __import__(module)
            holder: Any = sys.modules[module]
            *owners, last = name.split(".")
            for owner in owners:
                holder = getattr(holder, owner)
            if hasattr(holder, last):
                self._wrap(step, holder, last)
        opened = Spider.from_crawler.__func__  # type: ignore[attr-defined]

        def from_crawler(cls: Any, *args: Any, **kwargs: Any) -> Any:
            self.note("start", process_time())
            return opened(cls, *args, **kwargs)

        Spider.from_crawler = classmethod(from_crawler)  # type: ignore[assignment]

    def _wrap(self, step: str, holder: Any, name: str) -> None:
        inner: Callable[..., Any] = getattr(holder, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.step(step):
                found = inner(*args, **kwargs)
                return list(found) if step == "lists" else found

        setattr(holder, name, timed)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").partition(".")[0] in {"crawler", "store"}:
                for other, value in list(vars(module).items()):
                    if value is inner:
                        setattr(module, other, timed)

    def save(self, path: Path) -> None:
        """Write the seconds as JSON, with the whole process's as `total`."""
        path.write_text(json.dumps(self.seconds | {"total": process_time()}), encoding="utf-8")


def load(path: Path) -> dict[str, float]:
    """Return the seconds by step, in ORDER, the rest of the total as "engine, downloads, walk"."""
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    steps = {name: found.get(name, 0.0) for name in ORDER}
    return steps | {"engine, downloads, walk": found["total"] - sum(steps.values())}
