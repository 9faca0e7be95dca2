"""What one visit of one source came to, counted while it runs and judged at its end. Exit codes say nothing: these do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import urlsplit

from crawler.items import ArticleItem
from store.sources import DATABASE_FAILED, SHUTDOWN, Visit

_HOME = re.compile(r"/?(?:(?:index|default|home|main)\.\w{2,5})?", re.IGNORECASE)
#: Scrapy's close reasons that mean the visit was cut short.
CUT_SHORT = frozenset({SHUTDOWN, "cancelled", "closespider_timeout", "memusage_exceeded", DATABASE_FAILED})


@dataclass(slots=True)
class Tally:
    """Counts of one source in one run; `reasons` counts every drop, skip and failure by its word."""

    requests: int = 0
    bytes: int = 0
    lists: int = 0
    lists_failed: int = 0
    unchanged: int = 0
    links: int = 0
    known: int = 0
    pages: int = 0
    articles_failed: int = 0
    unread: int = 0
    new: int = 0
    seen: int = 0
    revised: int = 0
    relevant: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_error: str | None = None
    #: (url, ETag, Last-Modified) of lists, kept once everything they link to was dealt with
    validators: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    #: set by a folder or another source that has no list pages
    listless: bool = False
    #: of the new articles: with publisher, with date, without replacement characters
    named: int = 0
    dated: int = 0
    clean: int = 0
    #: issues of a newspaper that are not out (yet): no fault, and no sign of life either
    no_issue: int = 0
    #: lists that were redirected to a home page, and the last such page
    lists_home: int = 0
    home: str = ""
    #: seconds a server asked us to stay away
    retry_after: int = 0
    #: known articles that were looked at again
    rechecked: int = 0
    #: set when the database took no record of the visit
    unrecorded: bool = False

    def fail(self, reason: str, detail: str, *, is_list: bool) -> None:
        """Count a request that gave nothing."""
        self.reasons[reason] += 1
        self.first_error = self.first_error or f"{reason}: {detail}"
        if is_list:
            self.lists_failed += 1
        else:
            self.articles_failed += 1

    def note_list(self, asked: str, final: str) -> None:
        """Count a list that was read; one whose address now leads to a home page is noted."""
        self.lists += 1
        if final != asked and is_home(final) and not is_home(asked):
            self.lists_home += 1
            self.home = final

    def note_article(self, item: ArticleItem, *, relevant: bool) -> None:
        """Count what a new article has."""
        self.relevant += relevant
        self.named += bool(item.publisher)
        self.dated += bool(item.published_at)
        self.clean += "\ufffd" not in item.title and item.text.count("\ufffd") * 200 <= len(item.text)

    def coverage(self) -> dict[str, Any]:
        """Return the counts that the watch compares with the source's habits."""
        return {
            "pages": self.pages,
            "bodied": max(0, self.pages - self.unread),
            "articles": self.new,
            "named": self.named,
            "dated": self.dated,
            "clean": self.clean,
            "relevant": self.relevant,
            "rechecked": self.rechecked,
            "home": self.home if self.lists_home and self.lists_home == self.lists else "",
        }

    def as_report(self) -> dict[str, Any]:
        """Return the counts as JSON can carry them to another process; `from_report` reads them there."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        return counts | {"reasons": dict(self.reasons), "validators": []}

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Self:
        """Return the tally of a report; its validators stayed where they are kept."""
        return cls(**{**report, "reasons": Counter(report["reasons"])})

    def as_stats(self) -> dict[str, int]:
        """Return the counted reasons for the crawl's row."""
        return {key: value for key, value in sorted(self.reasons.items()) if value}


def is_home(url: str) -> bool:
    """Return whether an address is that of a site's front page."""
    parts = urlsplit(url)
    return not parts.query and _HOME.fullmatch(parts.path) is not None


def judge(tally: Tally, close_reason: str) -> Visit:
    """Return the visit's outcome from its counts.

    failed: no list could be read, or lists were read and linked to nothing; degraded: some lists or more than half of the
    articles failed; interrupted: the run was cut short.
    """
    outcome, reason = _outcome(tally, close_reason)
    return Visit(
        outcome=outcome,
        reason=reason,
        error=tally.first_error,
        requests=tally.requests,
        pages=tally.pages,
        links=tally.links,
        new=tally.new,
        seen=tally.seen + tally.known,
        revised=tally.revised,
        dropped=sum(tally.reasons.values()),
        errors=tally.lists_failed + tally.articles_failed,
        bytes=tally.bytes,
    )


def _outcome(tally: Tally, close_reason: str) -> tuple[str, str | None]:
    worst = tally.reasons.most_common(1)[0][0] if tally.reasons else None
    if close_reason in CUT_SHORT:
        return "interrupted", close_reason
    if close_reason not in {"finished", "max_articles"}:
        return "failed", close_reason
    if not tally.listless and not tally.lists and not tally.unchanged and not tally.no_issue:
        return "failed", worst or "no_list"
    if tally.lists and not tally.links and not tally.unchanged and not tally.no_issue:
        return "failed", "no_links"
    failed = tally.articles_failed + tally.unread
    if failed and not (tally.new or tally.seen or tally.revised or tally.known):
        return "failed", worst
    if tally.lists_failed or failed * 2 > tally.pages + tally.articles_failed:
        return "degraded", worst
    return "ok", None
