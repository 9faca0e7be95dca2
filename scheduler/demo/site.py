"""The sample web: fourteen invented sources on loopback, complete with lists, feeds, robots.txt, cookies and faults."""

from __future__ import annotations

import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scheduler.demo.articles import SHANGHAI, SampleArticle, load_articles
from scheduler.demo.handins import fill_folder
from scheduler.demo.hosts import SampleHost
from scheduler.demo.newspapers import build_newspaper
from scheduler.demo.pages import Site, build_site
from scheduler.demo.sources import SAMPLE_SOURCES, SampleSource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

#: 127.0.0.11 and up: one address per source, so that politeness, robots.txt and cookies are really per host.
_FIRST_ADDRESS = 11
_WEEK = timedelta(days=7)


class SampleWeb:
    """A context manager that serves the sample sources; everything is dated relative to `now` (aware).

    All addresses and pages are the same for the same `now` and `port`, so that a second visit knows them again; with
    port 0, or where `port` is taken, a host gets a free one. `without` holds back articles by id, so that a later run
    on the same port publishes them as new; `edits` corrects texts: id -> (words, words in their place).
    """

    def __init__(
        self,
        now: datetime,
        *,
        port: int = 0,
        without: Collection[str] = (),
        edits: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        self.now = now
        self.articles: list[SampleArticle] = [
            _edited(article, (edits or {}).get(article.id))
            for article in load_articles(now)
            if article.id not in without
        ]
        #: (host as in the address, path with query, status) of every request so far.
        self.requests: list[tuple[str, str, int]] = []
        #: Source name -> host and port, for all sources but the drop folder.
        self.hosts: dict[str, str] = {}
        #: Source name -> its site.
        self.sites: dict[str, Site] = {}
        self._port = port
        self._servers: dict[str, SampleHost] = {}
        self._folder: Path | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        web_sources = [source for source in SAMPLE_SOURCES if source.kind != "folder"]
        for number, source in enumerate(web_sources, start=_FIRST_ADDRESS):
            server = SampleHost(f"127.0.0.{number}", self._port, self._record)
            self._servers[source.name] = server
            self.hosts[source.name] = server.netloc
        for source in web_sources:
            self._serve(source)
        self.fail("broken-portal", 500)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ThreadPoolExecutor(max_workers=len(self._servers)) as pool:
            list(pool.map(SampleHost.close, self._servers.values()))
        if self._temporary is not None:
            self._temporary.cleanup()

    def fail(self, name: str, status: int | None) -> None:
        """Let every page of a source answer with `status`; None mends it; 0 closes its port for good."""
        server = self._servers[name]
        if status == 0:
            server.close()
        else:
            server.fault = status

    def slow(self, name: str, seconds: float) -> None:
        """Let a source wait that long before each answer."""
        self._servers[name].delay = seconds

    def drop_folder(self, path: Path) -> list[Path]:
        """Write the hand-ins into `path` and name it in `sources_toml()` from now on; returns the files."""
        self.use_folder(path)
        return fill_folder(path, self._of("drop-folder"))

    def use_folder(self, path: Path) -> None:
        """Name a folder that was filled before, as it stands, in `sources_toml()`."""
        self._folder = path

    def sources_toml(self) -> str:
        """A sources file for all sample sources; the hand-ins go to a temporary folder unless `drop_folder` chose one."""
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="parknews-sample-")
            self.drop_folder(Path(self._temporary.name))
        return "\n".join(self._table(source) for source in SAMPLE_SOURCES)

    def article_url(self, article: SampleArticle) -> str:
        """Where an article is published; the file's name for hand-ins."""
        site = self.sites.get(article.source)
        return article.file if site is None else site.base + site.paths[article.id]

    @property
    def counts(self) -> dict[str, int]:
        """What a complete crawl must find, counted from the data.

        `articles` counts every article and copy, `stories` what is left when copies are joined, `reprints` the copies
        of all kinds; `relevant…` only those of Party building in a zone; `…_this_week` those of the seven days before
        `now` by the first publication.
        """
        week = [article for article in self.articles if self._is_this_week(article)]
        originals = [article for article in self.articles if article.copy_of is None]
        return {
            "sources": len(SAMPLE_SOURCES),
            "hosts": len(self.hosts),
            "articles": len(self.articles),
            "relevant": sum(article.relevant for article in self.articles),
            "stories": len(originals),
            "relevant_stories": sum(article.relevant for article in originals),
            "reprints": len(self.articles) - len(originals),
            "articles_this_week": len(week),
            "stories_this_week": sum(article.copy_of is None for article in week),
            "relevant_stories_this_week": sum(a.relevant for a in week if a.copy_of is None),
            "future": sum(article.published > self.now for article in self.articles),
            "zones": len({zone for a in originals if a.relevant for zone in a.zones}),
            "broken": 1,
            "silent": 1,
        }

    def _is_this_week(self, article: SampleArticle) -> bool:
        return self.now - _WEEK <= article.published <= self.now

    def _of(self, name: str) -> list[SampleArticle]:
        return [article for article in self.articles if article.source == name]

    def _record(self, host: str, path: str, status: int) -> None:
        with self._lock:
            self.requests.append((host, path, status))

    def _serve(self, source: SampleSource) -> None:
        articles = self._of(source.name)
        base = f"http://{self.hosts[source.name]}"
        site = Site(source, base, changed=_changed(articles, self.now), friends=self._friends(source))
        if source.kind in ("epaper", "pdf"):
            build_newspaper(site, articles)
        else:
            build_site(site, articles)
        self.sites[source.name] = site
        self._servers[source.name].replies = site.replies
        self._servers[source.name].start()

    def _friends(self, source: SampleSource) -> list[dict[str, str]]:
        """Links to other hosts' front pages, which a crawler must not take for articles."""
        others = [other for other in SAMPLE_SOURCES if other.name in self.hosts and other != source]
        return [{"name": o.publisher, "url": f"http://{self.hosts[o.name]}/"} for o in others[:4]]

    def _table(self, source: SampleSource) -> str:
        entries: dict[str, object] = {"name": source.name, "kind": source.kind, "publisher": source.publisher}
        if source.kind == "folder":
            entries["path"] = str(self._folder)
        else:
            site = self.sites[source.name]
            entries["urls"] = [site.base + path for path in site.urls]
        if source.zone:
            entries["zone"] = source.zone
        entries |= {"region": source.region, "internal": True, "enabled": True, "interval": source.interval}
        lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
        return "\n".join(["[[source]]", *lines, ""])


def _changed(articles: Sequence[SampleArticle], now: datetime) -> datetime:
    """When a site last changed: with its newest article, never after `now`."""
    newest = max((article.published for article in articles), default=now)
    return min(newest, now).astimezone(SHANGHAI)


def _edited(article: SampleArticle, edit: tuple[str, str] | None) -> SampleArticle:
    if edit is None:
        return article
    return replace(article, paragraphs=tuple(line.replace(*edit) for line in article.paragraphs))


def _toml(value: object) -> str:
    """A string, boolean or list of strings as TOML (JSON's escapes of these are TOML's)."""
    return json.dumps(value, ensure_ascii=False)
