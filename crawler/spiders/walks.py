"""Which kind of source is walked how."""

from __future__ import annotations

from typing import Any

from crawler.spiders.epaper import EpaperWalk
from crawler.spiders.folder import FolderWalk
from crawler.spiders.pdf import PdfWalk
from crawler.spiders.portal import PortalWalk
from crawler.spiders.rss import FeedWalk
from crawler.spiders.sitemap import SitemapWalk
from crawler.spiders.walk import Visitor, Walk

WALKS: dict[str, type[Walk]] = {
    "portal": PortalWalk,
    "cms": PortalWalk,
    "rss": FeedWalk,
    "sitemap": SitemapWalk,
    "epaper": EpaperWalk,
    "pdf": PdfWalk,
    "folder": FolderWalk,
}


def walk_for(spider: Visitor, source: Any) -> Walk:
    """Return the walk of a source's kind."""
    return WALKS[source.kind](spider, source)
