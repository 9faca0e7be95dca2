"""How one source is visited: what all kinds share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import scrapy
from scrapy.http import Response, TextResponse
from twisted.python.failure import Failure

from crawler.context import CrawlContext
from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.failures import CHALLENGE, reason_of
from crawler.items import ArticleItem, Link, UnreadPage
from crawler.middlewares import LeaveAloneMiddleware
from crawler.pages.challenge import find_challenge
from crawler.pages.reading import read_page
from crawler.referer import referer, shown
from crawler.sources.kinds import LinkedSource
from crawler.spiders.paging import next_part
from crawler.tally import Tally
from store.articles import known_urls
from store.database import read_scope
from store.fetched import FetchedPage
from store.hints import Listed
from store.pages import validators

Output = scrapy.Request | ArticleItem | UnreadPage
#: Newspaper page PDFs are larger than any page of a site.
PDF_PATH = ".pdf"
#: Articles of a visit that a site's guard may withhold before it is left alone.
_GUARDED = 3
#: An article of fewer characters may be a guard's page.
_SHORT = 200
#: Characters of an article's address; there are longer ones only by mistake or by malice (Internet Explorer's limit).
_LONGEST_URL = 2083
_NEWSPAPER_READERS = frozenset({"epaper", "pdf"})


class Visitor(Protocol):
    """What a walk needs of the spider it belongs to."""

    context: CrawlContext
    tallies: dict[str, Tally]
    crawler: Any

    @property
    def logger(self) -> logging.LoggerAdapter[Any]: ...


class Walk:
    """How one source is visited. Subclasses give `start` and their callbacks; what all kinds share is here."""

    def __init__(self, spider: Visitor, source: Any) -> None:
        self.spider = spider
        self.source = source
        self.tally = spider.tallies[source.name]
        self.limit = source.max_articles or spider.context.config.crawl.max_articles
        self._asked: set[str] = set()
        #: the list being read, and what lists have said of articles: (address of the article, entry)
        self.list_url = ""
        #: the same as other pages of the site may see it
        self.came_from = ""
        self.listed: list[tuple[str, Listed]] = []

    def start(self) -> Iterable[Output]:
        """Yield the first requests or items of a visit."""
        raise NotImplementedError

    def list_request(
        self, url: str, callback: Callable[..., Any], *, conditional: bool = True, **kwargs: Any
    ) -> scrapy.Request:
        """Ask for a list page, only if it has changed since its links were last dealt with."""
        headers = referer(self.came_from, url)
        if conditional:
            with read_scope(self.spider.context.engine) as session:
                headers |= validators(session, url)
        meta = {
            "source": self.source.name,
            "is_list": True,
            "handle_httpstatus_list": [304],
            "asked_url": url,
        }
        return scrapy.Request(
            url,
            self.list_callback(callback),
            errback=self.failed,
            headers=headers,
            meta=meta,
            dont_filter=True,
            priority=10,
            cb_kwargs=kwargs,
        )

    def list_callback(self, callback: Callable[..., Iterator[Output]]) -> Callable[..., Iterator[Output]]:
        """Wrap a list page's callback: 304 and unreadable lists end here, validators are noted."""

        def read(response: Response, **kwargs: Any) -> Iterator[Output]:
            if response.status == 304:
                self.tally.unchanged += 1
                return
            self.list_url, self.came_from = response.meta["asked_url"], shown(response.url)
            links, missing = self.tally.links, self.tally.no_issue
            outputs: list[Output] = []
            fault = None
            try:
                outputs = list(callback(response, **kwargs))
            except PageError as error:
                fault = error
            if not outputs and self.tally.links == links and (evidence := self.challenge(response)):
                self.tally.no_issue = missing
                self.tally.fail(CHALLENGE, f"{response.url}: {evidence}", is_list=True)
                return
            if isinstance(fault, PageNotUnderstood):
                self.tally.fail(fault.reason, f"{response.url}: {fault.detail}", is_list=True)
                return
            # a list with nothing on it is one too; a source whose lists are all empty is judged as `no_links`
            self.tally.note_list(response.meta["asked_url"], response.url)
            etag, modified = (_header(response, name) for name in ("ETag", "Last-Modified"))
            self.tally.validators.append((response.meta["asked_url"], etag, modified))
            yield from outputs

        return read

    def article_requests(self, links: Sequence[Link], reader: str = "portal") -> Iterator[scrapy.Request]:
        """Ask for the linked articles that were never read, up to the source's limit."""
        links = [link for link in links if self.wants(link.url)]
        self.tally.links += len(links)
        self.note(links)
        fresh = self.unknown([link.url for link in links])
        for link in links:
            if link.url in fresh and link.url not in self._asked and len(self._asked) < self.limit:
                self._asked.add(link.url)
                yield self.article_request(link, reader)

    def note(self, links: Sequence[Link]) -> None:
        """Keep what the list being read says of its articles: at the end of the visit it tells which were changed."""
        for link in links:
            date = link.published_at if link.published_at != link.updated_at else None
            self.listed.append((link.url, Listed(self.list_url, link.title, date, link.updated_at)))

    def wants(self, url: str) -> bool:
        """Return whether the source's own patterns let this address through; only http(s) of a sane length ever passes."""
        if len(url) > _LONGEST_URL or urlsplit(url).scheme not in {"http", "https"}:
            return False
        return self.source.wants(url) if isinstance(self.source, LinkedSource) else True

    def unknown(self, urls: Sequence[str]) -> set[str]:
        """Return those addresses nothing is known of; the known ones are counted."""
        with read_scope(self.spider.context.engine) as session:
            known = known_urls(session, urls)
        self.tally.known += len(known)
        return set(urls) - known

    def article_request(self, link: Link, reader: str) -> scrapy.Request:
        """Ask for one article's page."""
        if urlsplit(link.url).path.lower().endswith(PDF_PATH):
            reader = "pdf"
        meta: dict[str, Any] = {"source": self.source.name, "asked_url": link.url}
        if reader == "pdf":
            meta["download_maxsize"] = self.spider.context.config.crawl.max_pdf_mb * 2**20
            meta["download_warnsize"] = 0
        return scrapy.Request(
            link.url,
            self.read_article,
            errback=self.failed,
            headers=referer(self.came_from, link.url),
            meta=meta,
            cb_kwargs={"link": link, "reader": reader},
        )

    @staticmethod
    def challenge(response: Response) -> str | None:
        """Return what shows that a site's guard answered and not the site, None when it did not."""
        declared = declared_encoding(response)
        return find_challenge(response.body, declared, response.url, response.meta["asked_url"])

    def is_challenge(self, page: FetchedPage, *, sure: bool = False) -> bool:
        """Return whether a guard answered instead of an article's page; it is not remembered as read but asked for again."""
        if page.reader == "handin":
            return False
        evidence = find_challenge(page.body, page.declared_encoding, sure=sure)
        if evidence:
            self.tally.pages -= 1
            self.tally.fail(CHALLENGE, f"{page.url}: {evidence}", is_list=False)
        return evidence is not None

    def read_article(self, response: Response, link: Link, reader: str) -> Iterator[Output]:
        """Yield what an article's page holds; a page that cannot be read goes on with its reason."""
        self.tally.pages += 1
        yield from self.read(self.fetched(response, reader), link)
        if self.tally.reasons[CHALLENGE] >= _GUARDED and response.request:
            middleware = self.spider.crawler.get_downloader_middleware(LeaveAloneMiddleware)
            if middleware:
                middleware.leave(response.request, CHALLENGE)

    def read(self, page: FetchedPage, link: Link | None = None) -> Iterator[Output]:
        """Yield the articles of a page, or why there are none."""
        try:
            items = read_page(page, self.spider.context.now())
        except PageError as error:
            if not self.is_challenge(page):
                keep = not isinstance(error, NotAnArticle)
                name = self.source.name
                yield UnreadPage(page.url, error.reason, error.detail, keep=keep, source=name, page=page)
            return
        if not items:
            yield UnreadPage(page.url, "empty", source=self.source.name, page=page)
        elif len(items) == 1 and _may_be_none(items[0]) and self.is_challenge(page, sure=True):
            return
        for item in items:
            item.source = self.source.name
            item.published_at = item.published_at or (link.published_at if link else None)
            if page.reader in _NEWSPAPER_READERS:  # a newspaper's own page need not say whose it is
                item.publisher = item.publisher or self.source.publisher
            yield from self.complete(item)

    def complete(self, item: ArticleItem) -> Iterator[Output]:
        """Yield the item, or the request for the next page of an article that goes over several."""
        yield next_part(self, [item], set())

    def fetched(self, response: Response, reader: str) -> FetchedPage:
        """Return the response's bytes as a page under the address that was asked for."""
        declared = declared_encoding(response)
        return FetchedPage(
            response.meta["asked_url"],
            reader,
            response.body,
            self.spider.context.now(),
            declared,
            _header(response, "ETag"),
            _header(response, "Last-Modified"),
        )

    def failed(self, failure: Failure) -> Iterator[Output]:
        """Count a request that gave nothing; an address that is gone for good is not asked for again."""
        request: scrapy.Request = failure.request  # type: ignore[attr-defined]
        reason, detail, gone, wait = reason_of(failure)
        self.tally.retry_after = max(self.tally.retry_after, wait)
        self.tally.fail(reason, f"{request.url}: {detail}", is_list=bool(request.meta.get("is_list")))
        if request.meta.get("is_list"):
            return
        if reason == "robots":  # nothing will be gained by reading the list again
            self.tally.articles_failed -= 1
            self.tally.unread += 1
        if gone:
            self.tally.articles_failed -= 1
            yield UnreadPage(request.meta["asked_url"], reason, detail, source=self.source.name)


def _may_be_none(item: ArticleItem) -> bool:
    """Return whether what was read as an article may be a guard's page: of few words, from nobody and undated."""
    return len(item.text) < _SHORT and not item.publisher and not item.published_at


def declared_encoding(response: Response) -> str | None:
    """Return the charset a response declares in its head or its first bytes, None where it declares none."""
    return response._declared_encoding() if isinstance(response, TextResponse) else None  # noqa: SLF001


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
