"""Scrapy's counters, kept at a lower price."""

from __future__ import annotations

from scrapy.statscollectors import MemoryStatsCollector


class PlainStats(MemoryStatsCollector):
    """Counts without the wrapper that Scrapy 2.19 puts around every call, to warn of an argument that nobody gives any more."""

    __getattribute__ = object.__getattribute__
