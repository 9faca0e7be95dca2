"""Scrapy's settings. The few that vary come from [crawl] of the configuration file."""

from __future__ import annotations

import gc
import sys
from importlib.metadata import version

from scrapy.settings import default_settings

from store.config import ConfigError, load_config

gc.set_threshold(200_000)  # nothing that is imported is garbage; the spider sets what a crawl needs

try:
    _crawl = load_config().crawl
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)

BOT_NAME = "parknews"
SPIDER_LOADER_CLASS = "crawler.spiderloader.SourceSpiderLoader"
SPIDER_MODULES = ["crawler.spiders"]
USER_AGENT = f"parknews/{version('parknews')} ({'+' + _crawl.contact if _crawl.contact else 'news monitoring for a zone office; contact not set'})"

DEFAULT_REQUEST_HEADERS = {**default_settings.DEFAULT_REQUEST_HEADERS, "User-Agent": USER_AGENT}
ROBOTSTXT_OBEY = _crawl.obey_robots
CONCURRENT_REQUESTS = 16
CONCURRENT_ITEMS = 1  # Scrapy starts so many tasks for every response (default 100: a third of the time); our pipeline never waits
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = _crawl.delay or 0.001  # with none at all Scrapy 2.19 sends a host's whole queue at once
DOWNLOAD_DELAY_JITTER = 0  # Scrapy's default waits half of the delay that was configured
AUTOTHROTTLE_ENABLED = _crawl.delay > 0
AUTOTHROTTLE_START_DELAY = _crawl.delay
AUTOTHROTTLE_MAX_DELAY = 60
DOWNLOAD_TIMEOUT = _crawl.timeout
DOWNLOAD_MAXSIZE = _crawl.max_page_mb * 2**20
DOWNLOAD_WARNSIZE = 0
REDIRECT_MAX_TIMES = 5
RETRY_TIMES = 2
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]  # not 429 and 503: those say when to come back
COOKIES_ENABLED = False
CLOSESPIDER_TIMEOUT = _crawl.wall_seconds
TWISTED_DNS_RESOLVER = "crawler.resolver.PublicResolver"
DOWNLOAD_HANDLERS = {
    "http": "crawler.downloading.CappedHandler",
    "https": "crawler.downloading.CappedHandler",
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}

# Every middleware is called for every page, at a hundredth of what Scrapy takes for it
_LEFT_OUT = (  # some are there as classes of our own
    ".CookiesMiddleware",
    ".DownloadTimeoutMiddleware",  # our handler knows the setting
    ".DownloaderStats",  # requests and bytes are counted by source
    ".HttpCacheMiddleware",
    ".HttpAuthMiddleware",
    ".HttpProxyMiddleware",  # a proxy looks names up by itself, past our resolver: its variables are not heeded
    ".MetaRefreshMiddleware",
    ".OffsiteMiddleware",  # a source's own patterns say where it may lead
    ".RedirectMiddleware",
    ".RobotsTxtMiddleware",
    ".UserAgentMiddleware",  # its header is among the default ones
)
DOWNLOADER_MIDDLEWARES_BASE = {
    name: place
    for name, place in default_settings.DOWNLOADER_MIDDLEWARES_BASE.items()
    if not name.endswith(_LEFT_OUT)
}
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.InternalHostsMiddleware": 80,
    "crawler.middlewares.LeaveAloneMiddleware": 90,
    "crawler.middlewares.PatientRobotsTxtMiddleware": 100,
    "crawler.middlewares.SparingMetaRefreshMiddleware": 580,
    "crawler.middlewares.NamingRedirectMiddleware": 600,
}
# Walks name the page they come from and bound their steps and the length of addresses themselves
SPIDER_MIDDLEWARES_BASE = {"scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": 50}
ITEM_PIPELINES = {"crawler.pipelines.StorePipeline": 300}
# Scrapy imports what is switched off with None too: its consoles and cookies alone cost a fifth of a second and 12 MB
EXTENSIONS_BASE = {
    f"scrapy.extensions.{name}": 0
    for name in (
        "corestats.CoreStats",
        "logcount.LogCount",
        "memusage.MemoryUsage",
        "closespider.CloseSpider",
        "feedexport.FeedExporter",
        "logstats.LogStats",
        "throttle.AutoThrottle",
    )
}
EXTENSIONS = {
    "crawler.hostlease.HostLease": 80,
    "crawler.ending.QuickEnd": 90,
    "crawler.extensions.CrawlRecorder": 100,
}
WARN_ON_GENERATOR_RETURN_VALUE = (
    False  # Scrapy would parse the source of the callback anew for every response
)
DUPEFILTER_CLASS = "crawler.asked.AskedAddresses"
STATS_CLASS = "crawler.stats.PlainStats"
LOG_FORMATTER = "crawler.logformat.ShortLogFormatter"
LOG_LEVEL = "INFO"
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
FEED_EXPORT_ENCODING = "utf-8"
