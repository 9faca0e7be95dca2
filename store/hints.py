"""Hints that an article was changed, from lists that are asked for anyway: another headline, another date, a later change. Pure.

A list is compared with what it said itself before, as many lists show another headline or date than the article's page does.
What a kind of hint of a source is worth is learnt from how often it was true.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from store.articles import parse_published

#: Requests for which a kind of hint is trusted beyond what is looked at unasked. Each false one costs one, each true one pays
#: for some: a site that stamps everything anew every day is asked twenty times more in all, one that is right always in full.
TRUST, EARNED = 20, 5
#: Lists of which an article remembers what they said.
_LISTS = 6
#: Shorter beginnings are no cut headlines.
_LEAST_BEGINNING = 6
#: A list that is met for the first time may reckon in another time zone.
_ZONES_APART = timedelta(hours=8)
#: Added to headlines and taken off again, whatever the article is.
_LABELS = re.compile(
    r"^(?:置顶|推荐|专题|图文|组图|图片|高清|视频|头条|原创|转载|热点|最新|独家|图|热|新|荐|new|hot|top)+"
    r"|(?:置顶|专题|图文|组图|图片|高清|视频|图|new|hot|top)+$"
)
_CUT = re.compile(r"(?:…|\.{2,}|。{3,})\W{0,3}$")


class Listed(NamedTuple):
    """What one list, feed or sitemap (its address) says of one article. Times are ISO 8601 text as in `crawler.items`."""

    where: str
    title: str | None = None
    date: str | None = None
    updated: str | None = None


def compare(
    before: Iterable[list[str]], listed: Iterable[Listed], title: str, read_at: datetime
) -> tuple[set[str], list[list[str]]]:
    """Return (kinds of hints, what is known now) of an article called `title` here that was last read at `read_at`.

    What is known is a list of [list's mark, headline, date, change], the latest last, as JSON takes it.
    """
    known: dict[str, list[str]] = {str(entry[0]): [str(value) for value in entry[1:4]] for entry in before}
    found: set[str] = set()
    for entry in listed:
        mark = f"{zlib.crc32(entry.where.encode('utf-8', 'replace')):08x}"
        said = [_said(entry.title), entry.date or "", entry.updated or ""]
        old = known.pop(mark, None)
        found |= _changed(old, said, title, read_at) if old else _late(entry.updated, read_at)
        known[mark] = [new or kept for new, kept in zip(said, old or said, strict=True)]
    return found, [[mark, *said] for mark, said in known.items()][-_LISTS:]


def _changed(old: list[str], said: list[str], title: str, read_at: datetime) -> set[str]:
    found = set()
    if said[0] and old[0] and not _same_title(said[0], old[0]) and not _same_title(said[0], _said(title)):
        found.add("title")
    if said[1] and old[1] and not said[1].startswith(old[1]) and not old[1].startswith(said[1]):
        found.add("date")
    if said[2] != old[2] and (until := _end(said[2])) and until > read_at:
        found.add("updated")
    return found


def _late(updated: str | None, read_at: datetime) -> set[str]:
    moment, _ = parse_published(updated)
    return {"updated"} if moment and moment > read_at + _ZONES_APART else set()


def _end(updated: str) -> datetime | None:
    """Return the last moment that a stamp may mean."""
    moment, precision = parse_published(updated)
    return moment + timedelta(days=1) if moment and precision == "day" else moment


def _said(title: str | None) -> str:
    """Return a headline in the form in which lists are compared: without spaces, marks and labels; "…" where it is cut."""
    text = unicodedata.normalize("NFKC", (title or "")[:300]).lower()
    bare = _LABELS.sub("", re.sub(r"[\W_]+", "", text))
    return bare[:120] + ("…" if bare and (_CUT.search(title or "") or len(bare) > 120) else "")


def _same_title(new: str, old: str) -> bool:
    """Return whether two headlines may be one: equal, or one a cut of the other; lists also cut without a sign."""
    start, whole = new.rstrip("…"), old.rstrip("…")
    if start == whole or (len(start) >= _LEAST_BEGINNING and whole.startswith(start)):
        return True
    return old.endswith("…") and len(whole) >= _LEAST_BEGINNING and start.startswith(whole)


def trusted(trust: Mapping[str, Any], kinds: Iterable[str]) -> bool:
    """Return whether any of the kinds of hints is worth a request of its own."""
    return any(trust.get(kind, TRUST) > 0 for kind in kinds)


def spend(trust: Mapping[str, Any], kinds: Iterable[str], *, true: bool = False) -> dict[str, Any]:
    """Return the trust in a source's hints after one of these kinds turned out true or false."""
    changed = {
        kind: min(TRUST, trust.get(kind, TRUST) + EARNED if true else max(0, trust.get(kind, TRUST) - 1))
        for kind in kinds
    }
    return dict(trust) | changed
