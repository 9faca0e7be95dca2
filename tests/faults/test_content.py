"""Faults in what comes in: documents, dates, markup, queries."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import lxml.html
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from crawler.exceptions import PageError
from crawler.pages.handins import open_handin
from crawler.pages.reading import read_page
from digest.edition import edition_for
from digest.issue import compose_issue
from digest.rendering import Links, render, render_page
from digest.sample import sample_issue
from store.archive import Query, search
from store.config import Config
from store.database import read_scope, session_scope
from store.fetched import FetchedPage
from store.models import Article, Source, Story
from tests.digest.hostile_values import TEXTS
from tests.digest.message_linter import lint
from tests.digest.test_message import Rendered, build, parse
from tests.loopback import Office, Site
from tests.newspaper_pages import hostile

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (lambda: b"%PDF-1.7\n" + b"1 0 obj\n<<>>\n" * 1000, {"bad_pdf"}),
        (hostile.encrypted, {"encrypted"}),
        (lambda: hostile.stream_bomb(40), {"memory_limit", "too_large"}),
        (lambda: hostile.nested_bomb(300), {"memory_limit", "bad_pdf", "empty"}),
        (
            lambda: hostile.mutant(hostile.many_pages(2), 5),
            {"bad_pdf", "empty", "ok", "picture_only", "not_chinese"},
        ),
    ],
)
def test_a_hostile_pdf_is_an_error_in_a_child(make: Callable[[], bytes], reasons: set[str]) -> None:
    """broken, huge, hostile PDF: read in a child with limits of CPU and memory; the page is kept with its reason."""
    try:
        read_page(FetchedPage("http://a.example/a.pdf", "pdf", make(), NOW), NOW)
    except PageError as error:
        assert error.reason in reasons  # noqa: PT017  no error is right for one of them
    else:
        assert "ok" in reasons


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "/etc/passwd.txt", "a/../../b.txt", "C:\\b.txt", "\\\\host\\b.txt"]
)
def test_an_archive_whose_names_lead_out_is_refused(name: str) -> None:
    """archive with traversal: refused whole; members of any archive are read in memory only, nothing is unpacked to a disk."""
    with pytest.raises(PageError, match="bad_archive"):
        open_handin("a.zip", _zip({name: "宝鸡高新区召开党建会议。".encode() * 20}))


def test_an_archive_that_grows_is_refused() -> None:
    """zip bomb: unpacking stops at the limits of size, number and depth."""
    nested = _zip({"a.txt": b"\0" * 2**20 * 64})
    for _ in range(6):
        nested = _zip({f"{n}.zip": nested for n in range(8)})
    for body in (
        _zip({"a.txt": b"\0" * 2**20 * 200}),
        nested,
        _zip({f"{n}.txt": b"a" for n in range(20_000)}),
    ):
        with pytest.raises(PageError):
            list(open_handin("a.zip", body))


def _zip(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def test_a_date_in_the_future_is_when_it_was_seen() -> None:
    """dates in the future: clamped to the moment the page was first seen, and flagged."""
    page = Site.article_page(
        "合川高新区党建联盟成立", ["合川高新区党建联盟成立，吸纳企业12家。" * 5], time="2033-01-01 08:00"
    )
    (item,) = read_page(FetchedPage("http://a.example/1.html", "portal", page, NOW), NOW)
    assert item.published_at
    assert datetime.fromisoformat(item.published_at) <= NOW
    assert any("future" in flag for flag in item.flags)


def test_a_robots_txt_that_changes_is_obeyed_from_then_on(site: Site, office: Office) -> None:
    """robots change: robots.txt is asked for at every visit; what it forbids now is not asked for any more."""
    site.pages["/list.html"] = site.list_page([("/a/1.html", "合川高新区党建联盟成立大会召开")])
    site.pages["/a/1.html"] = site.article_page(
        "合川高新区党建联盟成立大会召开", ["合川高新区党建联盟成立。" * 9]
    )
    office.write_sources(
        f'[[source]]\nname = "a"\nkind = "portal"\npublisher = "x"\nurls = ["{site.root}/list.html"]\ninternal = true\n'
    )
    office.run("parknews", "crawl")
    assert site.count("/a/1.html") == 1
    site.pages["/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /\n")
    site.asked.clear()
    office.run("parknews", "crawl")
    assert [path for path, _ in site.asked] == ["/robots.txt"]
    with read_scope(office.engine) as session:
        assert session.scalars(select(Source.last_reason)).one() == "robots"
        assert len(session.scalars(select(Article)).all()) == 1


@given(st.sampled_from(TEXTS) | st.text(max_size=200), st.sampled_from(TEXTS) | st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_no_text_makes_a_second_header(subject: str, name: str) -> None:
    """header injection: texts of pages and people are text in a header, never a header of their own."""
    message = build(Rendered(subject=subject), recipient_name=name)
    assert lint(message) == []
    assert "Bcc" not in parse(message)
    assert parse(message).get_all("Subject", []) != []


@pytest.mark.parametrize("form", ["mail", "page"])
def test_no_text_becomes_markup_style_script_or_template(form: str) -> None:
    """HTML, CSS, JS and template injection: what pages say is shown as text; links lead to http and https only."""
    edition = edition_for(sample_issue(stories=20, hostile=True))
    links = Links("https://digest.example.cn")
    html = (
        render(edition, Config(), links=links).html
        if form == "mail"
        else render_page(edition, Config(), links=links)
    )
    tree: Any = lxml.html.fromstring(html)
    assert not tree.xpath(
        "//script | //iframe | //object | //embed | //form | //img | //base | //meta[@http-equiv]"
    )
    assert not [name for element in tree.iter() for name in element.attrib if str(name).startswith("on")]
    assert all(href.startswith(("http://", "https://", "#")) for href in tree.xpath("//@href"))
    assert not re.search(
        r"(?:expression\(|url\(|@import|javascript:)", "".join(tree.xpath("//@style | //style/text()"))
    )


def test_wildcards_and_operators_in_a_query_are_letters(
    engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    """wildcards, FTS syntax in a query: every character is looked for as it is."""
    with session_scope(engine) as session:
        add_story(session, now, title="覆盖率100%的党建a_b", text="合川高新区覆盖率100%，编号a_b。")
        add_story(session, now, title="另一件党建的事", text="合川高新区另一件事。")
    assert compose_issue(engine, Config(), now)
    with read_scope(engine) as session:
        for words in ("100%", "a_b"):
            assert [hit.story_id for hit in search(session, Query(words))[1]] == [1]
        for words in ("%%", "__", "a%b", "* OR *", '"党建" OR "事"', "NEAR(党建 事)", "title:党建", "党建*", "-党建", "党建^2", "') --",
                      "党建 & !事", "\\党建", "{党建}:x"):  # fmt: skip
            assert search(session, Query(words))[0] == 0, words


def test_random_bytes_are_never_more_than_a_reason() -> None:
    """garbage of any kind: every reader gives articles or a reason word."""
    rng = random.Random(8)
    for size in (0, 1, 10, 1000, 50_000):
        for reader in ("portal", "epaper", "handin"):
            try:
                read_page(FetchedPage("http://a.example/x", reader, rng.randbytes(size), NOW), NOW)
            except PageError as error:
                assert error.reason  # noqa: PT017
