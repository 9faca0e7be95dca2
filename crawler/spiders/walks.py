"""Which kind of source is walked how."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from crawler.spiders.walk import Visitor, Walk

#: kind -> module of this package and class; imported with the first source of the kind, for newspapers bring much with them
WALKS = {
    "portal": ("portal", "PortalWalk"),
    "cms": ("portal", "PortalWalk"),
    "rss": ("rss", "FeedWalk"),
    "sitemap": ("sitemap", "SitemapWalk"),
    "epaper": ("epaper", "EpaperWalk"),
    "pdf": ("pdf", "PdfWalk"),
    "folder": ("folder", "FolderWalk"),
}


def walk_for(spider: Visitor, source: Any) -> Walk:
    """Return the walk of a source's kind."""
    module, name = WALKS[source.kind]
    made: Walk = getattr(import_module(f"crawler.spiders.{module}"), name)(spider, source)
    return made
