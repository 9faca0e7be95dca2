"""Look at a site and propose how to collect it: what `parknews source add URL` does before it asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import lxml.html

from crawler.exceptions import PageError
from crawler.fetching import Fetched, FetchError, fetch
from crawler.items import Link
from crawler.pages.epaper import EpaperPage
from crawler.pages.feeds import FeedPage, SitemapPage
from crawler.pages.lists import PortalListPage
from crawler.pages.page_kind import page_kind

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
#: A list page leads to at least this many articles; fewer are a home page's odds and ends.
LEAST_LINKS = 5
_AGENT = "parknews source add"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to collect a site: its kind, where a visit begins, the articles found there, the site's name and charset."""

    kind: str
    url: str
    links: list[Link] = field(default_factory=list)
    publisher: str = ""
    why: str = ""

    @property
    def name(self) -> str:
        """A slug made of the host and the last part of the path."""
        parts = urlsplit(self.url)
        host = re.sub(r"^(www|m|wap)\.", "", (parts.hostname or "source").lower())
        words = [
            word
            for word in re.split(r"[^a-z0-9]+", parts.path.lower())
            if word and word not in {"index", "html", "htm", "shtml", "xml", "list"}
        ]
        slug = "-".join([re.sub(r"[^a-z0-9]+", "-", host), *words[-1:]])
        return slug.strip("-")[:60] or "source"


def propose(url: str, *, timeout: float = 30, allow_private: bool = False) -> list[Proposal]:
    """Return the ways found to collect the site, best first: a feed or news sitemap, an e-paper, the page as a list.

    Raises FetchError when the address itself cannot be fetched; whatever else fails is left out.
    """
    page = fetch(url, user_agent=_AGENT, timeout=timeout, allow_private=allow_private)
    kind = page_kind(page.body, page.url)
    if kind == "newspaper":
        return [Proposal("pdf", page.url, [Link(page.url)], why="the address is a PDF")]
    own = _own(page, kind)
    others = [] if kind in {"feed", "sitemap"} else list(_offered(page, timeout, allow_private))
    found = [proposal for proposal in [*others, *own] if proposal.links]
    return sorted(found, key=lambda proposal: (_RANK[proposal.kind], -len(proposal.links)))


_RANK = {"epaper": 0, "rss": 1, "portal": 2, "cms": 2, "sitemap": 3, "pdf": 4}


def _own(page: Fetched, kind: str) -> list[Proposal]:
    try:
        if kind == "feed":
            return [
                Proposal("rss", page.url, FeedPage(page.body, page.url).links(), why="the address is a feed")
            ]
        if kind == "sitemap":
            return [
                Proposal(
                    "sitemap",
                    page.url,
                    SitemapPage(page.body, page.url).links(),
                    why="the address is a sitemap",
                )
            ]
        paper = EpaperPage(page.body, page.url, declared=page.declared)
        if paper.family() not in {"", "script_shell"}:
            links = paper.links() or [Link(issue) for issue in [paper.issue_url()] if issue]
            return [
                Proposal(
                    "epaper", page.url, links, _site_name(page), f"an e-paper of the {paper.family()} family"
                )
            ]
        links = PortalListPage(page.body, page.url, declared=page.declared).links()
    except PageError:
        return []
    reason = f"the page leads to {len(links)} articles"
    return (
        [Proposal("portal", page.url, links, _site_name(page), reason)] if len(links) >= LEAST_LINKS else []
    )


def _offered(page: Fetched, timeout: float, allow_private: bool) -> Iterator[Proposal]:
    """Yield the feeds a page names and the sitemaps its robots.txt names."""
    for url in _feeds(page)[:3]:
        found = _fetched(url, timeout, allow_private)
        if found and page_kind(found.body, found.url) == "feed":
            yield from (
                Proposal(p.kind, p.url, p.links, _site_name(page), "a feed the page names")
                for p in _own(found, "feed")
            )
    robots = _fetched(urljoin(page.url, "/robots.txt"), timeout, allow_private)
    text = robots.body.decode("utf-8", "replace") if robots else ""
    for url in re.findall(r"(?im)^\s*sitemap:\s*(\S+)", text)[:2]:
        found = _fetched(url, timeout, allow_private)
        if found and page_kind(found.body, found.url) == "sitemap":
            yield from (
                Proposal(p.kind, p.url, p.links, _site_name(page), "a sitemap robots.txt names")
                for p in _own(found, "sitemap")
            )


def _feeds(page: Fetched) -> list[str]:
    tree = _tree(page)
    if tree is None:
        return []
    return [
        urljoin(page.url, str(link.get("href")))
        for link in tree.iterfind(".//link")
        if link.get("type") in _FEED_TYPES and link.get("href")
    ]


def _site_name(page: Fetched) -> str:
    """The site's name from og:site_name or the last part of the title."""
    tree = _tree(page)
    if tree is None:
        return ""
    named = next(
        (
            str(meta.get("content"))
            for meta in tree.iterfind(".//meta")
            if meta.get("property") == "og:site_name"
        ),
        "",
    )
    title = tree.findtext(".//title") or ""
    parts = [part.strip() for part in re.split(r"[-_|—–]+", title) if part.strip()]
    return named.strip() or (parts[-1] if parts else "")


def _tree(page: Fetched) -> lxml.html.HtmlElement | None:
    from crawler.extract.decoding import decode

    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(page.body, page.declared).text)
    try:
        return lxml.html.document_fromstring(text)
    except (lxml.etree.LxmlError, ValueError):
        return None


def _fetched(url: str, timeout: float, allow_private: bool) -> Fetched | None:
    try:
        return fetch(url, user_agent=_AGENT, timeout=timeout, allow_private=allow_private)
    except FetchError:
        return None


def source_table(
    proposal: Proposal, *, name: str, publisher: str, zone: str = "", internal: bool = False
) -> dict[str, object]:
    """Return the `[[source]]` table of a proposal, in the order people read it."""
    table: dict[str, object] = {
        "name": name,
        "kind": proposal.kind,
        "publisher": publisher,
        "urls": [proposal.url],
    }
    optional = {"zone": zone, "internal": internal}
    return table | {key: value for key, value in optional.items() if value}
