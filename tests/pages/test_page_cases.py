"""Every folder under portal, list, feed and cms: a page as fetched, and what must be read from it."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from crawler.exceptions import PageError
from crawler.items import ArticleItem
from crawler.pages.base import ListPage
from crawler.pages.feeds import FeedPage, SitemapPage
from crawler.pages.lists import PortalListPage
from crawler.pages.portal import PortalArticlePage, PortalText

HERE = Path(__file__).parent
CASES = sorted(
    path.parent for kind in ("portal", "list", "feed", "cms") for path in HERE.glob(f"{kind}/*/meta.toml")
)
LISTS: dict[str, type[ListPage]] = {"list": PortalListPage, "feed": FeedPage, "sitemap": SitemapPage}
UNSET = asdict(ArticleItem(url="", title="", text=""))


def read(folder: Path) -> dict[str, Any]:
    meta = tomllib.loads((folder / "meta.toml").read_text("utf-8"))
    body = next(folder.glob("input.*")).read_bytes()
    now = dt.datetime.fromisoformat(meta["fetched"])
    try:
        if meta["kind"] == "text":
            return articles(PortalText(body.decode(), meta["url"], now=now).to_items())
        if meta["kind"] == "portal":
            return articles(PortalArticlePage(body, meta["url"], now=now).to_items())
        return links(LISTS[meta["kind"]](body, meta["url"]))
    except PageError as error:
        return {"refused": error.reason}


def articles(items: list[ArticleItem]) -> dict[str, Any]:
    return {"articles": [{k: v for k, v in asdict(item).items() if v != UNSET[k]} for item in items]}


def links(page: ListPage) -> dict[str, Any]:
    out: dict[str, Any] = {
        "links": [{k: v for k, v in asdict(link).items() if v is not None} for link in page.links()]
    }
    if page.next_page():
        out["next_page"] = page.next_page()
    if isinstance(page, SitemapPage) and page.sitemaps():
        out["sitemaps"] = page.sitemaps()
    return out


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_page_gives_what_its_case_expects(folder: Path) -> None:
    assert read(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


def test_every_kind_of_page_has_cases() -> None:
    assert {case.parent.name for case in CASES} == {"portal", "list", "feed", "cms"}
