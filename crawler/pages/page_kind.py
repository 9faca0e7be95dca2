"""What bytes are, told before they are read."""

from __future__ import annotations

import re

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.decoding import decode
from crawler.pages.lists import is_article_url, list_evidence
from crawler.pages.portal import PortalArticlePage

_XML_ROOT = re.compile(r"<(rss|feed|rdf:RDF|urlset|sitemapindex|\w{1,12}:(?:rss|feed|urlset|RDF))[\s>]")


def page_kind(body: bytes, url: str = "") -> str:
    """What the bytes are: "article", "list", "feed", "sitemap", "newspaper" (a PDF) or "text" (no markup).

    Never raises; what cannot be told is "article", whose page says why it is none.
    """
    return outer_kind(body) or _article_or_list(body, url)


def outer_kind(body: bytes) -> str | None:
    """The same as far as the first bytes tell; None for a page of HTML, which would have to be parsed."""
    if body[:1024].lstrip().startswith(b"%PDF-"):
        return "newspaper"
    head = decode(body[:65_536]).text
    if root := _XML_ROOT.search(head[:3000]):
        return "sitemap" if root[1].rpartition(":")[2] in ("urlset", "sitemapindex") else "feed"
    start = head.lstrip()[:200]
    if start.startswith("{") and "jsonfeed" in head[:2000]:
        return "feed"
    if start.startswith(("{", "[")):
        return "list"
    if "<" not in head or not re.search(
        r"<(?:html|body|div|p|table|head|meta|a|script|span|br|record|!doctype)\b", head, re.IGNORECASE
    ):
        return "text"
    return None


def _article_or_list(body: bytes, url: str) -> str:
    page = PortalArticlePage(body, url)
    try:
        size = len(page.found.text)
        sure = is_article_url(url) or size >= _LONG_TEXT if url else size >= _ARTICLE_TEXT
        if sure and page.has_byline():
            return "article"
        return "list" if list_evidence(page.tree, url) else "article"
    except (PageNotUnderstood, NotAnArticle):
        return "article"


#: Characters of text below a byline that make an article whatever surrounds it.
_ARTICLE_TEXT = 40
#: The same for an address that has not the form of an article's.
_LONG_TEXT = 300
