"""The invented articles of the sample web: read from `data/*.toml`, dated relative to a given day, disguised as copies."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, timezone
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scheduler.demo.sources import SAMPLE_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

#: China has no summer time; a fixed offset needs no tz database.
SHANGHAI = timezone(timedelta(hours=8))

_DAY_PLACEHOLDER = re.compile(r"\{d(\d)\}")
_FIGURE = re.compile(r"[0-9]+(?:\.[0-9]+)?|[一二三四五六七八九十百千万两零]{2,}")
_HALF_WIDTH = str.maketrans("，。：；！？（）“”", ',.:;!?()""')


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """One document of the sample web.

    `published` is Shanghai time (midnight when `has_time` is false); `publisher` is the original source that the page
    names. `copy_of` is the id of the article it repeats and `how` the kind of copy (`plain`, `halfwidth`, `anonymised`,
    `excerpt`, `traditional`); both are None for originals. `follows` names an earlier story that this one continues.
    """

    id: str
    source: str
    group: str
    title: str
    paragraphs: tuple[str, ...]
    published: datetime
    has_time: bool
    publisher: str
    zones: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    kicker: str = ""
    subtitle: str = ""
    author: str = ""
    editor: str = ""
    column: str = ""
    page: str = ""
    file: str = ""
    copy_of: str | None = None
    how: str | None = None
    follows: str | None = None
    original_title: str = ""
    masks: tuple[str, ...] = field(default=(), repr=False)

    @property
    def relevant(self) -> bool:
        """Whether it tells of Party building in a high-tech zone."""
        return self.group == "zone-party"

    @property
    def text(self) -> str:
        """The body, one paragraph a line."""
        return "\n".join(self.paragraphs)

    @property
    def number(self) -> int:
        """A number for addresses, stable over runs and different for every article of a source."""
        digits = int(re.sub(r"\D", "", self.id) or 0)
        return 410000 + sum(ord(letter) for letter in self.id) % 97 * 1000 + digits * 7

    def stamp(self, pattern: str = "%Y-%m-%d %H:%M") -> str:
        """`published` in a strftime pattern."""
        return self.published.strftime(pattern)


def load_articles(now: datetime) -> list[SampleArticle]:
    """Return all articles and copies, dated by `now` (aware), originals before copies, in a stable order.

    Raises ValueError for a `now` without offset and KeyError for a copy of an unknown article.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry an offset")
    today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    tables = {source.name: _read(source.name) for source in SAMPLE_SOURCES}
    originals = [
        _original(source.name, source.publisher, entry, today)
        for source in SAMPLE_SOURCES
        for entry in tables[source.name].get("article", [])
    ]
    by_id = {article.id: article for article in originals}
    copies = [
        _copy(name, by_id[entry["of"]], entry, today)
        for name, table in tables.items()
        for entry in table.get("copy", [])
    ]
    return originals + copies


def page_advert() -> tuple[str, str]:
    """Headline and text of the advert on the newspaper page."""
    headline, text = _read("page-pdf")["advert"]
    return headline, text


def _read(name: str) -> dict[str, Any]:
    path = files("scheduler.demo") / "data" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _published(entry: dict[str, Any], today: datetime) -> datetime:
    clock = time.fromisoformat(entry.get("time", "00:00"))
    return datetime.combine((today - timedelta(days=entry["day"])).date(), clock, SHANGHAI)


def _original(source: str, publisher: str, entry: dict[str, Any], today: datetime) -> SampleArticle:
    published = _published(entry, today)
    return SampleArticle(
        id=entry["id"],
        source=source,
        group=entry["group"],
        title=entry["title"],
        paragraphs=tuple(_dated(line, published) for line in entry["text"].split("\n") if line),
        published=published,
        has_time="time" in entry,
        publisher=entry.get("publisher", publisher),
        zones=tuple(entry["zones"]),
        themes=tuple(entry.get("themes", ())),
        author=entry.get("byline", ""),
        **{key: entry.get(key, "") for key in ("kicker", "subtitle", "editor", "column", "page", "file")},
        follows=entry.get("follows"),
    )


def _dated(line: str, published: datetime) -> str:
    def day(match: re.Match[str]) -> str:
        when = published - timedelta(days=int(match[1]))
        return f"{when.month}月{when.day}日"

    return _DAY_PLACEHOLDER.sub(day, line)


def _copy(source: str, of: SampleArticle, entry: dict[str, Any], today: datetime) -> SampleArticle:
    title = entry.get("title", of.title)
    copied = replace(
        of,
        id=f"{of.id}@{source}",
        source=source,
        title=title,
        published=_published(entry, today),
        has_time="time" in entry,
        kicker="",
        subtitle="",
        editor=entry.get("editor", ""),
        column=entry.get("column", ""),
        page=entry.get("page", ""),
        file=entry.get("file", ""),
        copy_of=of.id,
        how=entry["how"],
        follows=None,
        original_title="" if title == of.title else of.title,
        masks=tuple(entry.get("masks", ())),
    )
    return replace(copied, **_disguise(copied))


def _disguise(copied: SampleArticle) -> dict[str, Any]:
    match copied.how:
        case "halfwidth":
            return {"paragraphs": tuple(line.translate(_HALF_WIDTH) for line in copied.paragraphs)}
        case "anonymised":
            lines = tuple(_mask(line, copied.masks) for line in copied.paragraphs)
            return {"paragraphs": lines, "publisher": "", "author": "", "original_title": ""}
        case "excerpt":
            return {"paragraphs": tuple(excerpt(list(copied.paragraphs), 0.4)), "original_title": ""}
        case "traditional":
            return _traditional(copied)
        case _:
            return {}


def _mask(line: str, names: tuple[str, ...]) -> str:
    for name in names:
        line = line.replace(name, "**")
    return _FIGURE.sub("**", line)


def excerpt(paragraphs: list[str], share: float) -> list[str]:
    """The first `share` (0-1) of the characters, cut after a full stop, at least one sentence."""
    budget = int(sum(map(len, paragraphs)) * share)
    return list(_sentences_within(paragraphs, budget))


def _sentences_within(paragraphs: list[str], budget: int) -> Iterator[str]:
    for line in paragraphs:
        if len(line) <= budget:
            yield line
            budget -= len(line)
            continue
        head, stop, _ = line[:budget].rpartition("。")
        if stop:
            yield head + stop
        return


def _traditional(copied: SampleArticle) -> dict[str, Any]:
    import opencc

    convert = opencc.OpenCC("s2t").convert
    return {
        "paragraphs": tuple(convert(line) for line in copied.paragraphs),
        "publisher": convert(copied.publisher),
        "author": convert(copied.author),
        "original_title": "",
    }
