"""Articles, stories and issues for other programs: CSV, JSON lines, XLSX, and issues as RSS."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import IO, Any, Literal
from xml.sax.saxutils import escape

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from store.models import Article, Issue, Source, Story

Kind = Literal["articles", "stories", "issues"]
COLUMNS: dict[str, tuple[str, ...]] = {
    "articles": (
        "id", "title", "kicker", "subtitle", "publisher", "site", "author", "editor", "published_at", "first_seen_at",
        "url", "page_number", "page_name", "relevant", "score", "zones", "themes", "story_id", "relation", "version",
    ),
    "stories": (
        "id", "title", "first_publisher", "first_published_at", "first_seen_at", "last_seen_at", "relevant", "score",
        "article_count", "follow_up_of", "merged_into", "zones", "themes", "urls",
    ),
    "issues": (
        "number", "year", "year_number", "period_start", "period_end", "composed_at", "late", "section", "rank",
        "in_full", "story_id", "title", "summary", "url", "publisher", "zones", "themes",
    ),
}  # fmt: skip
#: A spreadsheet takes a cell that begins so for a formula, after blanks and in wide form too.
_FORMULA = re.compile(r"^[\s\u3000]*[=+\-@＝＋－＠]|^[\t\r\n]")
#: What XML 1.0 does not allow, and Excel's own escapes, which would be decoded on reading.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_EXCEL_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
#: The only addresses that are linked to.
_WEB = re.compile(r"https?://\S+$")
#: Limits of the XLSX format.
MAX_CELL, MAX_ROWS = 32_767, 1_048_576
_BATCH = 500


class ExportError(RuntimeError):
    """What cannot be exported so; the message says what can."""


Row = Mapping[str, Any]


def rows_of(
    session: Session, kind: Kind, *, with_text: bool = False, relevant: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield one mapping for each article, story or told story of an issue, oldest first. Times are aware datetimes, zones
    and themes lists.
    """
    if kind == "articles":
        yield from _articles(session, with_text=with_text, relevant=relevant)
    elif kind == "stories":
        yield from _stories(session, relevant=relevant)
    else:
        yield from _told(session)


def columns_of(kind: Kind, *, with_text: bool = False) -> tuple[str, ...]:
    """Return the names of the columns in order."""
    return (*COLUMNS[kind], "text") if with_text and kind == "articles" else COLUMNS[kind]


def _articles(session: Session, *, with_text: bool, relevant: bool) -> Iterator[dict[str, Any]]:
    names = columns_of("articles", with_text=with_text)
    query = select(Article, Source.publisher).outerjoin(Source, Source.id == Article.source_id)
    if relevant:
        query = query.where(Article.relevant)
    last = 0
    query = query.options(selectinload(Article.tags)).order_by(Article.id).limit(_BATCH)
    while batch := session.execute(query.where(Article.id > last)).all():
        for article, site in batch:
            found = {
                name: getattr(article, name) for name in names if name not in {"site", "zones", "themes"}
            }
            found |= {"site": site} | _tags([article])
            yield {name: found[name] for name in names}
        last = batch[-1][0].id
        session.expunge_all()


def _tags(articles: Iterable[Article]) -> dict[str, list[str]]:
    tags = [tag for article in articles for tag in article.tags]
    return {
        name: list(dict.fromkeys(tag.name for tag in tags if tag.kind == kind))
        for name, kind in (("zones", "zone"), ("themes", "theme"))
    }


def _stories(session: Session, *, relevant: bool) -> Iterator[dict[str, Any]]:
    query = select(Story).order_by(Story.id).limit(_BATCH)
    if relevant:
        query = query.where(Story.relevant)
    last = 0
    while batch := session.scalars(query.where(Story.id > last)).all():
        numbers = [story.id for story in batch]
        members: dict[int | None, list[Article]] = {}
        found = select(Article).where(Article.story_id.in_(numbers)).options(selectinload(Article.tags))
        for article in session.scalars(found.order_by(Article.id)):
            members.setdefault(article.story_id, []).append(article)
        for story in batch:
            articles = members.get(story.id, [])
            values = {name: getattr(story, name, None) for name in COLUMNS["stories"]}
            yield values | _tags(articles) | {"urls": [article.url for article in articles]}
        last = numbers[-1]
        session.expunge_all()


def _told(session: Session) -> Iterator[dict[str, Any]]:
    for issue in _issues(session):
        for told in issue.stories:
            content = told.content
            values = {name: getattr(issue, name, None) for name in COLUMNS["issues"]}
            yield values | {
                "section": told.section,
                "rank": told.rank,
                "in_full": told.in_full,
                "story_id": told.story_id,
                **{
                    name: content.get(name)
                    for name in ("title", "summary", "publisher", "url", "zones", "themes")
                },
            }


def _issues(session: Session) -> Iterator[Issue]:
    yield from session.scalars(select(Issue).options(selectinload(Issue.stories)).order_by(Issue.number))


def _cell(value: Any) -> Any:
    """Return a value as one cell: times in ISO form, lists joined by spaces."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return " ".join(str(part.get("name", part) if isinstance(part, dict) else part) for part in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def defused(value: Any) -> Any:
    """Return the cell with an apostrophe before a text that a spreadsheet would take for a formula."""
    return "'" + value if isinstance(value, str) and _FORMULA.match(value) else value


def write_csv(rows: Iterable[Row], columns: Sequence[str], out: IO[bytes]) -> int:
    """Write UTF-8 CSV with a byte order mark (Excel needs it), formulas defused; return the number of rows."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", errors="replace", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow(
            [
                defused(_NO_XML.sub("", cell) if isinstance(cell := _cell(row[name]), str) else cell)
                for name in columns
            ]
        )
        count += 1
    text.detach()
    return count


def write_jsonl(rows: Iterable[Row], columns: Sequence[str], out: IO[bytes]) -> int:
    """Write one JSON object a line, times in ISO form; return the number of rows."""
    count = 0
    for row in rows:
        values = {
            name: _cell(row[name]) if isinstance(row[name], datetime) else row[name] for name in columns
        }
        out.write(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        count += 1
    return count


_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="parknews" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def write_xlsx(rows: Iterable[Row], columns: Sequence[str], out: IO[bytes]) -> int:
    """Write a workbook of one sheet; texts are texts, never formulas, and cut at 32,767 characters; return the number of
    rows. Raises ExportError beyond the 1,048,575 rows a sheet can hold.
    """
    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in _PARTS.items():
            packed.writestr(name, _HEAD + part)
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(
                f'{_HEAD}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'.encode()
            )
            sheet.write(_xlsx_row(columns))
            for row in rows:
                count += 1
                if count >= MAX_ROWS:
                    raise ExportError(f"a sheet holds {MAX_ROWS - 1:,} rows at most; export as csv or jsonl")
                sheet.write(_xlsx_row([_cell(row[name]) for name in columns]))
            sheet.write(b"</sheetData></worksheet>")
    return count


def _xlsx_row(values: Sequence[Any]) -> bytes:
    return f"<row>{''.join(map(_xlsx_cell, values))}</row>".encode()


def _xlsx_cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    text = _EXCEL_ESCAPE.sub("_x005F_", _NO_XML.sub("", str(value)))[:MAX_CELL]
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def write_rss(session: Session, out: IO[bytes], *, title: str, link: str, limit: int = 50) -> int:
    """Write the latest issues as RSS 2.0, newest first; return how many.

    `link` is where readers reach the archive: a feed and its items must have addresses. Raises ExportError without one.
    """
    base = link.rstrip("/")
    if not base:
        raise ExportError(
            "a feed names addresses and there are none: set [digest] public_url to where readers reach the archive, or "
            "export the issues as csv, jsonl or xlsx"
        )
    issues = list(
        session.scalars(
            select(Issue).options(selectinload(Issue.stories)).order_by(Issue.number.desc()).limit(limit)
        )
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>',
        f"<title>{_xml(title)}</title><link>{_xml(base)}/</link>",
        f"<description>{_xml(title)}</description><language>zh-cn</language>",
        *(_rss_item(issue, f"{base}/issues/{issue.number}") for issue in issues),
    ]
    out.write(("\n".join(lines) + "\n</channel></rss>\n").encode())
    return len(issues)


def _rss_item(issue: Issue, address: str) -> str:
    told = "".join(f"<li>{_headline(story.content)}</li>" for story in issue.stories)
    overview = _xml(issue.content.get("overview", ""))
    label = issue.content.get("masthead", {}).get("label") or f"{issue.year}年第{issue.year_number}期"
    return (
        f"<item><title>{_xml(label)}</title><link>{_xml(address)}</link>"
        f'<guid isPermaLink="false">parknews-issue-{issue.number}</guid>'
        f"<pubDate>{format_datetime(issue.composed_at)}</pubDate>"
        f"<description>{escape(f'<p>{overview}</p><ol>{told}</ol>')}</description></item>"
    )


def _headline(content: Mapping[str, Any]) -> str:
    """Return a told story's title, linked to the original where that is on the web."""
    title, url = _xml(content.get("title", "")), str(content.get("url") or "")
    return f'<a href="{_xml(url)}">{title}</a>' if _WEB.match(url) else title


def _xml(text: Any) -> str:
    return escape(_NO_XML.sub("", str(text or "")), {'"': "&quot;"})
