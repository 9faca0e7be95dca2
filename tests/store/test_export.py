"""Exports open in other programs, whatever stands in the texts."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine

from store.database import read_scope, session_scope
from store.export import (
    COLUMNS,
    MAX_CELL,
    ExportError,
    columns_of,
    defused,
    rows_of,
    write_csv,
    write_jsonl,
    write_rss,
    write_xlsx,
)
from store.issues import Draft, DraftStory, freeze
from store.models import Article, ArticleTag, Story

HOSTILE = [
    "=cmd|'/c calc'!A1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1",
    "</t></is></c><c><f>1</f></c>",
    ']]>&<"',
    "a_x0041_b",
    "\x0b\x00\ud800\ufffe",
    '行一\n行二,"引号"',
]


@pytest.fixture
def filled(engine: Engine, make_article: Callable[..., Article], now: datetime) -> Engine:
    with session_scope(engine) as session:
        for number, title in enumerate(HOSTILE, 1):
            clean = title.replace("\x00", "").replace("\ud800", "")
            story = Story(title=clean, first_seen_at=now, last_seen_at=now, relevant=True)
            session.add(story)
            session.flush()
            article = make_article(
                title=clean, text="长" * 40_000, story_id=story.id, relevant=number % 2 == 0, published_at=now
            )
            article.tags = [
                ArticleTag(kind="zone", name=name, field="text", start=0, end=2, text="")
                for name in ("合肥高新区", "西安高新区")
            ]
            session.add(article)
        session.flush()
        masthead = {"label": "2026年第1期<&>", "total": "", "date_words": ""}
        told = [
            DraftStory(
                n,
                "org",
                n,
                True,
                1.0,
                {
                    "title": HOSTILE[n - 1],
                    "summary": "摘要",
                    "url": "http://a.cn/?a=1&b=2",
                    "zones": [{"name": "合肥高新区"}],
                    "themes": ["org"],
                    "publisher": "样报",
                },
            )
            for n in (1, 8, 9)
        ]
        draft = Draft(
            1,
            2026,
            1,
            now - timedelta(days=7),
            now,
            now,
            now,
            False,
            {"masthead": masthead, "overview": "概述]]>"},
            told,
        )
        assert freeze(session, draft)
    return engine


def read_xlsx(data: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        for name in packed.namelist():
            ET.fromstring(packed.read(name))
        sheet = ET.fromstring(packed.read("xl/worksheets/sheet1.xml"))
    assert not any(one.tag.endswith("}f") for one in sheet.iter())
    rows = [row for row in sheet.iter() if row.tag.endswith("}row")]
    return [["".join(cell.itertext()) for cell in row] for row in rows]


@pytest.mark.parametrize("kind", ["articles", "stories", "issues"])
def test_every_form_holds_every_row(filled: Engine, kind: str) -> None:
    columns = columns_of(kind)  # type: ignore[arg-type]
    sizes = set()
    for write in (write_csv, write_jsonl, write_xlsx):
        out = io.BytesIO()
        with read_scope(filled) as session:
            sizes.add(write(rows_of(session, kind), columns, out))  # type: ignore[arg-type]
        if write is write_csv:
            table = list(csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
            assert not [
                cell for row in table for cell in row if cell.strip(" \u3000")[:1] in tuple("=+@＝\t")
            ]
        elif write is write_xlsx:
            table = read_xlsx(out.getvalue())
        else:
            values = [json.loads(line) for line in out.getvalue().splitlines()]
            assert all(tuple(one) == columns for one in values)
            continue
        assert tuple(table[0]) == columns
        assert {len(row) for row in table} == {len(columns)}
    assert sizes == {3 if kind == "issues" else len(HOSTILE)}


def test_texts_come_when_asked_for_and_fit_a_cell(filled: Engine) -> None:
    columns = columns_of("articles", with_text=True)
    out = io.BytesIO()
    with read_scope(filled) as session:
        assert (
            write_xlsx(rows_of(session, "articles", with_text=True, relevant=True), columns, out)
            == len(HOSTILE) // 2
        )
    assert {len(row[-1]) for row in read_xlsx(out.getvalue())[1:]} == {MAX_CELL}
    assert "text" not in COLUMNS["articles"]


@pytest.mark.parametrize("cell", HOSTILE[:7])
def test_a_formula_is_defused(cell: str) -> None:
    assert defused(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["党建", "a=b", "100%", -1, 0.5, None, ""])
def test_what_is_no_formula_stays(cell: object) -> None:
    assert defused(cell) == cell


def test_excel_reads_its_own_escapes_as_they_were_written(filled: Engine) -> None:
    out = io.BytesIO()
    with read_scope(filled) as session:
        write_xlsx(rows_of(session, "articles"), ("title",), out)
    assert ["a_x005F_x0041_b"] in read_xlsx(out.getvalue())


def test_issues_are_a_feed(filled: Engine, now: datetime) -> None:
    out = io.BytesIO()
    with read_scope(filled) as session:
        assert write_rss(session, out, title="要情<&>", link="https://a.cn/x/") == 1
    channel = ET.fromstring(out.getvalue())[0]
    item = channel.find("item")
    assert item is not None
    texts = {child.tag: child.text for child in item}
    assert channel.findtext("title") == "要情<&>"
    assert channel.findtext("link") == "https://a.cn/x/"
    assert (texts["title"], texts["link"]) == ("2026年第1期<&>", "https://a.cn/x/issues/1")
    assert parsedate_to_datetime(str(texts["pubDate"])) == now
    described = ET.fromstring(f"<div>{texts['description']}</div>")
    assert ["".join(one.itertext()) for one in described.iter("li")] == [HOSTILE[0], HOSTILE[7], HOSTILE[8]]
    assert {one.get("href") for one in described.iter("a")} == {"http://a.cn/?a=1&b=2"}


def test_a_feed_without_an_address_is_refused_with_the_way_out(filled: Engine) -> None:
    out = io.BytesIO()
    with read_scope(filled) as session, pytest.raises(ExportError, match=r"set \[digest\] public_url"):
        write_rss(session, out, title="要情", link="")
    assert not out.getvalue()
