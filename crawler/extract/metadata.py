"""What a page says about itself for machines: meta elements, JSON-LD, variables of inline scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from crawler.extract.dates import Stamp, parse_stamp
from crawler.extract.tree import Tree

_ARTICLE_TYPES = (
    "newsarticle",
    "article",
    "reportagenewsarticle",
    "blogposting",
    "webpage",
    "liveblogposting",
    "report",
)
_TITLE_KEYS = (
    "og:title",
    "articletitle",
    "title",
    "contenttitle",
    "twitter:title",
    "headline",
    "hdtitle",
    "sailthru.title",
    "weibo: article:title",
)
_SOURCE_KEYS = (
    "contentsource",
    "source",
    "mediaid",
    "og:article:source",
    "article:source",
    "media",
    "origin",
    "docsource",
)
_AUTHOR_KEYS = (
    "author",
    "article:author",
    "og:article:author",
    "byl",
    "dc.creator",
    "docauthor",
    "weibo: article:author",
)
_EDITOR_KEYS = ("editor", "editors", "responsibleeditor", "doceditor")
_DATE_KEYS = (
    "pubdate", "publishdate", "firstpublishedtime", "article:published_time", "og:release_date", "og:published_time",
    "datepublished", "publish-date", "publish_date", "publishtime", "publish_time", "pubtime", "weibo: article:create_at", "dc.date",
    "dc.date.issued", "og:pubdate", "bytedance:published_time", "createdate", "sailthru.date", "date", "releasedate", "og:time",
)  # fmt: skip
#: How a value begins that can be a time; the name is looked for before it, since scripts hold fewer numbers than words.
#: Two patterns, since a search for a fixed first character takes a tenth of the time of one for a class.
_NUMBERS = [re.compile(rf"{first}\d(?:\d\d[-/.年]\d|\d{{8}})") for first in "12"]
_VALUE = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:Z|[+-]\d\d:?\d\d)?)?|1[0-9]{9}(?:\d{3})?\b|20\d{12}\b"
)
_PUBLISHED_NAME = re.compile(
    r"\b(datePublished|pubDate|pubdate|pub_time|pubTime|pubtime|publish_?[tT]ime|publish_?[dD]ate|publishedAt|published_at|newsTime|news_time|ctime|ptime|"
    r"create_?[tT]ime|createdAt|oriCreateTime|article_?[tT]ime|post_?[tT]ime|displayTime|releaseTime|ct|show_time|inputtime|newsDate|"
    r"firstPublishTime|s_PublishDate|publish)[\"']?\s{0,3}(?:[:=]|\|\||,)\s{0,3}(?:new Date\()?[\"']?$"
)
#: No match of the pattern above is longer.
_NAME_ROOM = 48
_UPDATE_KEYS = re.compile(r"updat|modif|apub:time")
_MAX_DEPTH = 6


@dataclass(slots=True)
class Metadata:
    """Values for machines; `scripts` holds times of inline scripts with the variable's name."""

    titles: list[str] = field(default_factory=list)
    published: list[Stamp] = field(default_factory=list)
    source: str | None = None
    author: str | None = None
    editor: str | None = None
    updated: list[Stamp] = field(default_factory=list)
    kicker: str | None = None
    subtitle: str | None = None
    page_number: str | None = None
    script_times: list[tuple[str, Stamp]] = field(default_factory=list)
    is_article: bool = False


def read_metadata(tree: Tree) -> Metadata:
    """Collect what the page declares; nothing here is checked against what it shows."""
    data = Metadata()
    meta = tree.meta
    _read_json_ld(tree, data)
    _read_paper_comment(tree, data)
    data.titles += [meta[key] for key in _TITLE_KEYS if meta.get(key)]
    data.published += [stamp for key in _DATE_KEYS if key in meta and (stamp := parse_stamp(meta[key]))]
    data.updated += [s for k, v in meta.items() if _UPDATE_KEYS.search(k) and (s := parse_stamp(v))]
    data.source = data.source or _first(meta, _SOURCE_KEYS)
    data.author = _first(meta, _AUTHOR_KEYS) or data.author
    data.editor = _first(meta, _EDITOR_KEYS)
    data.is_article = data.is_article or meta.get("og:type", "").lower() in (
        "article",
        "news",
        "news_article",
    )
    data.script_times = _script_times(tree)
    return data


#: A variable with more different values than this stamps the entries of a list, not the article.
_MAX_VALUES = 2


def _script_times(tree: Tree) -> list[tuple[str, Stamp]]:
    values: dict[str, dict[str, Stamp]] = {}
    for script in tree.scripts:
        for name, value in _named_times(script[:200_000]):
            if stamp := parse_stamp(value):
                values.setdefault(name, {})[value] = stamp
    return [
        (name, s) for name, stamps in values.items() if len(stamps) <= _MAX_VALUES for s in stamps.values()
    ]


def _named_times(script: str) -> Iterator[tuple[str, str]]:
    for start in sorted(found.start() for numbers in _NUMBERS for found in numbers.finditer(script)):
        name = _PUBLISHED_NAME.search(script, max(0, start - _NAME_ROOM), start)
        if name and (value := _VALUE.match(script, start)):
            yield name[1], value[0]


_LABEL = re.compile(r"^(?:来源|作者|编辑|责任编辑|责编)\s?[:：]\s?")


#: Founder's e-paper systems write an article's fields into a comment: <!--enpproperty <founder-title>…</founder-title> …-->
_PAPER_FIELD = re.compile(
    r"<(?:founder-)?(?P<name>title|introtitle|subtitle|author|date|papername|pagenum)>(?P<value>[^<]{1,400})<"
)


def _read_paper_comment(tree: Tree, data: Metadata) -> None:
    for _, comment in tree.comments:
        if "enpproperty" not in comment:
            continue
        values = {m["name"]: " ".join(m["value"].split()) for m in _PAPER_FIELD.finditer(comment)}
        if values.get("title"):
            data.titles.append(values["title"])
        data.kicker, data.subtitle = values.get("introtitle") or None, values.get("subtitle") or None
        data.author, data.source = values.get("author") or data.author, values.get("papername") or data.source
        data.page_number = values.get("pagenum") or None
        if stamp := parse_stamp(values.get("date", "")[:10]):
            data.published.append(stamp)


def _first(meta: dict[str, str], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = _LABEL.sub("", " ".join(meta.get(key, "").split()))
        # Numbers are keys of an editing system, addresses and templates are not names.
        if (
            1 < len(value) <= 40
            and not value.isdigit()
            and "://" not in value
            and "$" not in value
            and "@" not in value
        ):
            return value
    return None


def _read_json_ld(tree: Tree, data: Metadata) -> None:
    for text in tree.json_ld[:10]:
        try:
            value = json.loads(text.strip().rstrip(";"), strict=False)
        except (ValueError, RecursionError):
            _read_broken_json_ld(text, data)
            continue
        for entry in _entries(value, 0):
            _read_entry(entry, data)


_BROKEN = re.compile(
    r"\"(?P<key>headline|title|pubDate|datePublished|upDate)\"\s{0,3}:\s{0,3}\"(?P<value>[^\"]{1,300})\""
)


def _read_broken_json_ld(text: str, data: Metadata) -> None:
    for found in _BROKEN.finditer(text[:20_000]):
        if found["key"] in ("headline", "title"):
            data.titles.append(found["value"])
        elif found["key"] != "upDate" and (stamp := parse_stamp(found["value"])):
            data.published.append(stamp)


def _entries(value: Any, depth: int) -> list[dict[str, Any]]:
    if depth > _MAX_DEPTH:
        return []
    if isinstance(value, list):
        return [entry for item in value[:50] for entry in _entries(item, depth + 1)]
    if not isinstance(value, dict):
        return []
    out = [value]
    for key in ("@graph", "mainEntity", "mainEntityOfPage"):
        if isinstance(value.get(key), (list, dict)):
            out += _entries(value[key], depth + 1)
    return out


def _read_entry(entry: dict[str, Any], data: Metadata) -> None:
    kinds = entry.get("@type", "")
    kind = " ".join(k for k in kinds if isinstance(k, str)) if isinstance(kinds, list) else str(kinds)
    known = any(name in kind.lower().split() for name in _ARTICLE_TYPES)
    published = entry.get("datePublished") or entry.get("pubDate")
    if not known and not published:
        return
    if known and kind.lower() != "webpage":
        data.is_article = True
    title = entry.get("headline") or entry.get("title")
    if isinstance(title, str) and title.strip():
        data.titles.append(" ".join(title.split())[:300])
    if isinstance(published, (str, int)) and (stamp := parse_stamp(str(published))):
        data.published.append(stamp)
    author = entry.get("author")
    if isinstance(author, list) and author:
        author = author[0]
    if isinstance(author, dict):
        author = author.get("name") if author.get("@type") != "Organization" else None
    if isinstance(author, str) and 1 < len(author.strip()) <= 30:
        data.author = data.author or author.strip()
