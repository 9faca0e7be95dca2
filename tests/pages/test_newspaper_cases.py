"""Every folder under epaper, torn and handin: a page, text or file as found, and what must be read from it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from crawler.exceptions import PageError
from crawler.items import ArticleItem
from crawler.pages.epaper import EpaperPage
from crawler.pages.epapers.families import FAMILIES
from crawler.pages.handins import open_handin, read_part
from crawler.pages.torn import TornText, looks_like_newspaper

HERE = Path(__file__).parent
EPAPERS = sorted(path.parent for path in HERE.glob("epaper/*/meta.toml"))
HANDINS = sorted(path.parent for path in HERE.glob("handin/*/meta.toml"))
TORN = sorted(path.parent for path in HERE.glob("torn/*/meta.toml"))
UNSET = asdict(ArticleItem(url="", title="", text=""))


def articles(items: list[ArticleItem]) -> list[dict[str, Any]]:
    return [{k: v for k, v in asdict(item).items() if v != UNSET[k]} for item in items]


def read_epaper(folder: Path) -> dict[str, Any]:
    url = tomllib.loads((folder / "meta.toml").read_text("utf-8"))["url"]
    page = EpaperPage(next(folder.glob("input.*")).read_bytes(), url)
    found: dict[str, Any] = {"family": page.family(), "role": page.role(), "issue_url": page.issue_url()}
    if page.role() != "article":
        for name, links in (("layouts", page.layouts()), ("links", page.links())):
            found[name] = [[link.url, link.title, link.published_at] for link in links]
        found["pdf_url"] = page.pdf_url()
    try:
        found["articles"] = articles(page.to_items())
    except PageError as error:
        found["refused"] = error.reason
    return found


def read_handin(folder: Path) -> list[dict[str, Any]]:
    name = tomllib.loads((folder / "meta.toml").read_text("utf-8"))["name"]
    found: list[dict[str, Any]] = []
    for part in open_handin(name, next(folder.glob("input.*")).read_bytes()):
        row: dict[str, Any] = {"name": part.name, "kind": part.kind}
        try:
            row["articles"] = articles(read_part(part))
        except PageError as error:
            row["refused"] = error.reason
        found.append(row)
    return found


def read_torn(folder: Path) -> dict[str, Any]:
    text = (folder / "input.txt").read_text("utf-8")
    return {"newspaper": looks_like_newspaper(text), "articles": articles(TornText(text).to_items())}


@pytest.mark.parametrize("folder", EPAPERS, ids=lambda folder: folder.name)
def test_an_epaper_page_gives_what_its_case_expects(folder: Path) -> None:
    assert read_epaper(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("folder", TORN, ids=lambda folder: folder.name)
def test_torn_text_gives_what_its_case_expects(folder: Path) -> None:
    assert read_torn(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("folder", HANDINS, ids=lambda folder: folder.name)
def test_a_handin_gives_what_its_case_expects(folder: Path) -> None:
    assert read_handin(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


def test_every_family_has_cases() -> None:
    assert {read_epaper(folder)["family"] for folder in EPAPERS} == set(FAMILIES)
