"""Look at one source without keeping anything: what `parknews source try` and `source check` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from crawler.context import CrawlContext
from crawler.exceptions import PageError
from crawler.fetching import Fetched, FetchError, fetch
from crawler.inspecting import inspect_page
from crawler.items import Link
from crawler.sources.kinds import AnySource, LinkedSource, SourceFile


class TryError(Exception):
    """The source cannot be used as it is configured; the message says why."""


def try_source(source: AnySource, context: CrawlContext, count: int) -> list[str]:
    """Return lines: the articles the source leads to, and `count` of them as they are read. Raises TryError."""
    links = links_of(source, context)
    lines = [f"{source.name}: {len(links)} article(s)"]
    lines += [f"  {link.published_at or '-':16.16} {link.title or ''}  {link.url}" for link in links[:40]]
    for link in links[:count]:
        lines += ["", *_read(source, context, link)]
    return lines


def preview_source(table: Mapping[str, object], links: Sequence[Link], context: CrawlContext) -> list[str]:
    """Return lines for a table that is not written yet: its text, the articles found, the first one as it is read."""
    source = msgspec.convert({"source": [dict(table)]}, SourceFile).source[0]
    shown = [f"  {link.published_at or '-':16.16} {link.title or ''}  {link.url}" for link in links[:12]]
    head = [f"  {key} = {value!r}" for key, value in table.items()]
    return [
        *head,
        f"{len(links)} article(s):",
        *shown,
        "",
        *(_read(source, context, links[0]) if links and source.kind != "pdf" else []),
    ]


def check_source(source: AnySource, context: CrawlContext) -> tuple[bool, str]:
    """Return whether the source leads to articles and the first of them can be read, with the reason where not."""
    try:
        links = links_of(source, context)
    except TryError as error:
        return False, str(error)
    if not links:
        return False, "no_links: the page was read and leads to no article"
    if source.kind == "folder":
        return True, f"{len(links)} file(s)"
    try:
        page = _fetch(links[0].url, source, context)
    except TryError as error:
        return False, f"{len(links)} links, first one: {error}"
    answer = inspect_page(page.url, page.body, page.url, "auto", context.classifier, page.declared)
    if not answer["articles"]:
        return False, f"{len(links)} links, first one: {answer['status']} {page.url}"
    first = answer["articles"][0]
    return (
        True,
        f"{len(links)} links; {first['published_at'] or 'no date'} {first['title']} ({len(first['text'])} characters)",
    )


def links_of(source: AnySource, context: CrawlContext) -> list[Link]:
    """Return the articles the source's first page (or folder) leads to. Raises TryError."""
    if source.kind == "folder":
        folder = context.config.resolve(getattr(source, "path", ""))
        if not folder.is_dir():
            raise TryError(f"{folder} is no folder; make it or correct `path`")
        return [Link(path.as_uri(), path.name) for path in sorted(folder.rglob("*")) if path.is_file()]
    page = _fetch(source.start_urls[0], source, context)
    try:
        found = _links(source, page, context)
    except PageError as error:
        raise TryError(f"{page.url}: {error}") from error
    return [link for link in found if not isinstance(source, LinkedSource) or source.wants(link.url)]


def _links(source: AnySource, page: Fetched, context: CrawlContext) -> list[Link]:
    from crawler.pages.epaper import EpaperPage
    from crawler.pages.feeds import FeedPage, SitemapPage
    from crawler.pages.lists import PortalListPage

    if source.kind == "rss":
        return FeedPage(page.body, page.url).links()
    if source.kind == "sitemap":
        return SitemapPage(page.body, page.url).links()
    if urlsplit(page.url).path.lower().endswith(".pdf"):
        return [Link(page.url)]
    if source.kind != "epaper":
        return PortalListPage(page.body, page.url, declared=page.declared).links()
    front = EpaperPage(page.body, page.url, declared=page.declared)
    issue = front.issue_url()
    if front.role() == "front" and issue:
        page = _fetch(issue, source, context)
        front = EpaperPage(page.body, page.url, declared=page.declared)
    return front.links()


def _fetch(url: str, source: AnySource, context: CrawlContext) -> Fetched:
    try:
        return fetch(
            url,
            user_agent="parknews source check",
            timeout=context.config.crawl.timeout,
            allow_private=source.internal,
            say_private="mark the source `internal = true`",
        )
    except FetchError as error:
        raise TryError(str(error)) from error


def _read(source: AnySource, context: CrawlContext, link: Link) -> list[str]:
    if source.kind == "folder":
        return [f"  {link.title}"]
    try:
        page = _fetch(link.url, source, context)
    except TryError as error:
        return [f"  {error}"]
    answer = inspect_page(page.url, page.body, page.url, "auto", context.classifier, page.declared)
    if not answer["articles"]:
        return [f"  {link.url}: {answer['status']}"]
    article = answer["articles"][0]
    shown = ("title", "published_at", "publisher", "author", "editor")
    head = [f"  {key:13} {article[key] or '-'}" for key in shown]
    return [*head, *(f"  | {line}" for line in article["text"].splitlines())]
