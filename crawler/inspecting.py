"""What the crawler makes of one page: the answer of `parknews inspect`, as plain values ready for JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from crawler.classify.classify import Classifier
from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.items import ArticleItem, Link
from crawler.pages.epapers.addresses import is_layout
from crawler.pages.page_kind import outer_kind, page_kind

#: Largest input that is looked at, in bytes.
MAX_BYTES = 40 * 2**20
Found = tuple[list[ArticleItem], list[Link]]
_FIELDS = (
    "title",
    "kicker",
    "subtitle",
    "published_at",
    "publisher",
    "author",
    "editor",
    "text",
    "page_number",
    "page_name",
    "confidence",
    "flags",
)


def inspect_page(
    name: str, body: bytes, url: str, kind: str, classifier: Classifier, declared: str | None = None
) -> dict[str, Any]:
    """Return the answer for one page. Never raises for what the page holds: `status` is "ok" or the reason word."""
    started = time.perf_counter()
    answer: dict[str, Any] = {"input": name, "kind": kind, "status": "ok", "articles": [], "links": []}
    try:
        answer["kind"], (items, links) = _read(name, body, url, kind, declared)
        answer["articles"] = [describe(item, classifier) for item in items]
        answer["links"] = [
            {"url": link.url, "title": link.title, "published_at": link.published_at} for link in links
        ]
        if not items and not links:
            answer["status"] = "empty"
    except PageError as error:
        answer["status"] = error.reason
        answer["detail"] = error.detail
    answer["seconds"] = round(time.perf_counter() - started, 4)
    return answer


def describe(item: ArticleItem, classifier: Classifier) -> dict[str, Any]:
    """Return the article with its verdict, in the form of the `articles` of an answer."""
    verdict = classifier.classify(item.title, item.text, url=item.url, publisher=item.publisher).to_dict()
    return (
        {name: getattr(item, name) for name in _FIELDS}
        | {"images": [asdict(image) for image in item.images]}
        | verdict
    )


def _read(name: str, body: bytes, url: str, kind: str, declared: str | None) -> tuple[str, Found]:
    if len(body) > MAX_BYTES:
        raise PageNotUnderstood("too_large", f"{len(body)} bytes; at most {MAX_BYTES} are read")
    if not body.strip(b"\x00\t\r\n\x0c ") and kind != "list":
        raise NotAnArticle("empty", "no bytes")
    real = page_kind(body, url or name) if kind == "auto" else outer_kind(body) or "article"
    if real in {"text", "newspaper"} or kind == "newspaper":
        return kind if kind != "auto" else ("newspaper" if real == "newspaper" else "article"), _READ_FILE[
            real
        ](name, body, url, kind)
    if kind == "auto" and real == "article" and is_layout(url):
        return "newspaper", _newspaper_html(name, body, url, kind)
    if kind == "auto":
        kind = "list" if real in {"feed", "sitemap"} else real
    if kind == "list":
        return kind, ([], _links(body, url, real, declared))
    return "article", (_article(body, url, declared), [])


def _pdf(name: str, body: bytes, url: str, kind: str) -> Found:  # noqa: ARG001
    from crawler.pages.newspaper import read_limited

    return read_limited(body, url or name), []


def _text(name: str, body: bytes, url: str, kind: str) -> Found:
    from crawler.extract.decoding import decode
    from crawler.pages.manuscripts import read_text
    from crawler.pages.portal import PortalText
    from crawler.pages.torn import TornText

    text = decode(body).text
    if kind == "newspaper":
        return TornText(text, url).to_items(), []
    if kind == "article":
        return PortalText(text, url).to_items(), []
    return read_text(text, url or name), []


def _newspaper_html(name: str, body: bytes, url: str, kind: str) -> Found:  # noqa: ARG001
    """Return the article of an e-paper's article page, the articles a newspaper page lists, or what a front page leads to."""
    from crawler.pages.epaper import EpaperPage

    page = EpaperPage(body, url)
    if page.role() == "article":
        return page.to_items(), []
    if links := page.links():
        return [], links
    if issue := page.issue_url():
        return [], [Link(issue)]
    if is_layout(url) or page.is_of_adverts() or page.family() == "json_reader":
        return [], page.layouts() if page.family() == "json_reader" else []
    if layouts := page.layouts():
        return [], layouts
    return _article(body, url, None), []


_READ_FILE: dict[str, Callable[[str, bytes, str, str], Found]] = {
    "newspaper": _pdf,
    "text": _text,
    "article": _newspaper_html,
    "list": _newspaper_html,
    "feed": _newspaper_html,
    "sitemap": _newspaper_html,
}


#: What pages of newspapers have and other pages rarely do, in their bytes or their address; a hint that costs little.
_PAPER_BYTES = (b"enpproperty", b"founder-content", b"enpcontent", b"cms-content", b"detaildata.do")
_PAPER_URL = re.compile(
    r"epaper|paper\.|\d{8}_\d{3}|/reader/layout/|/pc/(?:content|con|layout)/", re.IGNORECASE
)


def _article(body: bytes, url: str, declared: str | None) -> list[ArticleItem]:
    from crawler.pages.epaper import EpaperPage
    from crawler.pages.portal import PortalArticlePage

    lower = body.lower()
    if any(mark in lower for mark in _PAPER_BYTES) or _PAPER_URL.search(url):
        newspaper = EpaperPage(body, url, declared=declared)
        if newspaper.family() not in {"", "script_shell"} and newspaper.role() == "article":
            items = newspaper.to_items()
            if any(
                item.page_number or item.page_name for item in items
            ):  # else a news site on a newspaper's CMS
                return items
    return PortalArticlePage(body, url, declared=declared).to_items()


def _links(body: bytes, url: str, real: str, declared: str | None) -> list[Link]:
    from crawler.pages.feeds import FeedPage, SitemapPage
    from crawler.pages.lists import PortalListPage

    if real == "feed":
        return FeedPage(body, url).links()
    if real == "sitemap":
        return SitemapPage(body, url).links()
    return PortalListPage(body, url, declared=declared).links()
