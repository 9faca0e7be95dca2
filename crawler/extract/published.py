"""When an article was published: the time the page shows, filled up from what it declares; never made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from crawler.extract.bylines import joined
from crawler.extract.dates import Stamp, complete, find_stamps, relative_stamp, url_day
from crawler.extract.metadata import Metadata
from crawler.extract.tree import Line

_PUBLISHED = re.compile(r"发布|发表|时\s{0,3}间|日\s{0,3}期|来源|发稿|刊发|上传|录入|编辑|作者")
_UPDATED = re.compile(r"更新|修改")
_NOT_PUBLISHED = re.compile(
    r"截[至止]|生效|施行|成文|有效|到期|活动|会议时间|打印|今天是|现在是|当前时间|版权|copyright|©",
    re.IGNORECASE,
)
#: Letters beside a date in a line that is a byline; longer ones are sentences that happen to hold a date.
_BYLINE_ROOM = 90


def published(
    before: list[Line],
    after: list[Line],
    data: Metadata,
    url: str,
    now: datetime | None,
    above: Sequence[Line] = (),
) -> str | None:
    """ISO text of the publication time, the bare day where no time of day is given, or None.

    `before` and `after` are the lines around the text that are not part of it, `above` those above the headline.
    """
    address_day = url_day(url)
    declared = [*data.published, *[stamp for _, stamp in data.script_times]]
    known = [stamp.day for stamp in declared] + ([address_day] if address_day else [])
    updated = [stamp.day for stamp in data.updated]
    shown = _shown(before, address_day) or _completed(before, known, updated) or _shown_after(after)
    if shown is None:
        stamp = _shown(list(above), address_day) or _completed(list(above), known, updated)
        shown = stamp if stamp is not None and (not known or stamp.day in known) else None
    if shown is None and data.published:
        shown = next((stamp for stamp in data.published if stamp.time not in _DEFAULT_TIMES), None)
    if shown is None:
        shown = _scripted(data, address_day)
    if shown is None and now is not None:
        shown = _relative(before, now)
    if shown is None:
        day = url_day(url)
        return day.isoformat() if day else None
    if shown.time is None:
        shown = _with_time(shown, [*_all(before), *_all(after), *_all(list(above)), *declared])
    return shown.isoformat()


def _completed(lines: list[Line], known: list[date], updated: list[date]) -> Stamp | None:
    """A date without year, or in several short lines, that a known day confirms.

    The day of an update says nothing of the year of publication, so it confirms only dates with a short year.
    """
    if not lines:
        return None
    short = " ".join(line.text for line in lines[-20:] if len(line.text) <= 12)
    if stamps := [stamp for stamp in find_stamps(short) if stamp.day in known]:
        return stamps[0]
    for line in lines:
        if len(line.text) <= 120 and (stamp := complete(_text(line), known, updated)):
            return stamp
    return None


def _all(lines: list[Line]) -> list[Stamp]:
    return [stamp for line in lines if len(line.text) <= 400 for stamp in find_stamps(_text(line))]


def _text(line: Line) -> str:
    return joined(line).replace("\x1f", " ")


def _shown(lines: list[Line], day: date | None) -> Stamp | None:
    """The date of the byline: with a label or time of day first, the nearer to the text the better."""
    best: tuple[float, Stamp] | None = None
    for number, line in enumerate(lines):
        text = _text(line)
        if len(text) > 400:
            continue
        for stamp in find_stamps(text):
            score = _score(text, stamp) + number / (len(lines) * 4 + 1) + (1.0 if stamp.day == day else 0.0)
            if score > 0 and (best is None or score > best[0]):
                best = (score, stamp)
    return best[1] if best else None


def _score(text: str, stamp: Stamp) -> float:
    start, end = stamp.span
    near = text[max(0, start - 14) : start]
    score = 1.0
    score += 1.5 if stamp.time else 0.0
    score += 1.5 if _PUBLISHED.search(near) else 0.5 if _PUBLISHED.search(text) else 0.0
    score -= 3.0 if _NOT_PUBLISHED.search(near) else 0.0
    if _UPDATED.search(near):
        score = min(score, 1.0) - 0.8
    if len(text) - (end - start) > _BYLINE_ROOM or "。" in text:
        score -= 2.0
    return score


def _shown_after(lines: list[Line]) -> Stamp | None:
    for line in lines[:16]:
        text = _text(line)
        if len(text) > 120:
            continue
        for stamp in find_stamps(text):
            near = text[max(0, stamp.span[0] - 14) : stamp.span[0]]
            if _PUBLISHED.search(near) and not _NOT_PUBLISHED.search(near):
                return stamp
    return None


_STRONG_NAMES = re.compile(
    r"publi|pub_?(?:time|date)|ptime|^ct$|^ctime$|news_?time|newsdate|displaytime|releasetime|inputtime",
    re.IGNORECASE,
)
#: What editing systems write where nobody gave a time of day.
_DEFAULT_TIMES = ("23:59:59",)


def _scripted(data: Metadata, day: date | None) -> Stamp | None:
    """A script's time: one whose variable means publication, or that falls on the address's day."""
    for name, stamp in data.script_times:
        if _STRONG_NAMES.search(name) or stamp.day == day:
            return stamp
    return None


def _relative(lines: list[Line], now: datetime) -> Stamp | None:
    for line in reversed(lines):
        if len(line.text) <= 60 and (stamp := relative_stamp(line.text, now)):
            return stamp
    return None


def _with_time(shown: Stamp, others: list[Stamp]) -> Stamp:
    """The same day with a time of day, where anything on the page gives one."""
    for stamp in others:
        if stamp.day == shown.day and stamp.time and stamp.time not in ("00:00", "00:00:00"):
            return stamp
    return shown
