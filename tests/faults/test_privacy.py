"""What goes out reports nothing back, and what is kept about a person can be handed out and erased."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lxml.html
import pytest
from sqlalchemy import Engine

from digest.edition import edition_for
from digest.rendering import Links, render, render_page
from digest.sample import sample_issue
from store.config import Config, RecipientEntry
from store.database import session_scope
from store.erasure import erase_person
from store.recipients import RecipientError, add_recipient, export_person

OURS = Links(
    "https://digest.example.cn",
    "https://digest.example.cn/u/key",
    "https://digest.example.cn/p/key",
    "?k=key",
)


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("form", ["mail", "page"])
def test_nothing_is_loaded_and_no_link_is_led_over_a_counter(form: str, hostile: bool) -> None:
    """tracking: no pixel, no picture, no counted link; every link leads to the archive or to the article itself."""
    issue = sample_issue(stories=30, hostile=hostile)
    edition = edition_for(issue)
    html = (
        render(edition, Config(), links=OURS).html
        if form == "mail"
        else render_page(edition, Config(), links=OURS)
    )
    tree: Any = lxml.html.fromstring(html)
    assert not tree.xpath("//img | //iframe | //link | //script | //video | //audio | //object | //input")
    assert not re.search(r"url\(|@import|background=", html)
    known = {str(url) for url in _urls(edition.content) | _urls([story.content for story in edition.stories])}
    for href in tree.xpath("//a/@href"):
        if not href.startswith(("#", "https://digest.example.cn/")):
            assert href in known, href
            assert "key" not in urlsplit(href).query


def _urls(content: Any) -> set[str]:
    if isinstance(content, dict):
        return set().union(*(_urls(value) for value in content.values())) if content else set()
    if isinstance(content, list | tuple):
        return set().union(*(_urls(value) for value in content)) if content else set()
    return {content} if isinstance(content, str) and content.startswith("http") else set()


def test_a_person_is_handed_out_and_then_erased(sqlite_engine: Engine, now: datetime, tmp_path: Path) -> None:
    """a person asks to be forgotten: nothing readable stays but the acts' numbers; the address cannot come back by an import."""
    with session_scope(sqlite_engine) as session:
        add_recipient(session, RecipientEntry(address="zhang@example.cn", name="张三丰"), now, "test")
        assert "张三丰" in str(export_person(session, "zhang@example.cn"))
    assert erase_person(sqlite_engine, "zhang@example.cn", now, "test").remains == ""
    written = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert b"zhang@example.cn" not in written
    assert "张三丰".encode() not in written
    with session_scope(sqlite_engine) as session, pytest.raises(RecipientError):
        add_recipient(session, RecipientEntry(address="zhang@example.cn"), now, "test")
