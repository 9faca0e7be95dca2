"""`parknews inspect` on pages of newspapers: their links, their article."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from crawler.classify.classify import load_classifier
from crawler.inspecting import inspect_page

EPAPERS = Path(__file__).parents[1] / "pages" / "epaper"
LAYOUTS = {"founder-v1": 2, "founder-v2": 2, "layoutlist": 2, "tq": 1, "rmrb": 1, "trs": 1, "fzsyun": 1}


def inspect(case: str, kind: str, *, known: bool = True) -> dict[str, Any]:
    folder = EPAPERS / case
    url = tomllib.loads((folder / "meta.toml").read_text("utf-8"))["url"] if known else ""
    return inspect_page("page.html", next(folder.glob("input.*")).read_bytes(), url, kind, load_classifier())


@pytest.mark.parametrize("family", LAYOUTS)
@pytest.mark.parametrize(("kind", "known"), [("newspaper", True), ("newspaper", False), ("auto", True)])
def test_a_newspaper_page_gives_the_links_to_its_articles(family: str, kind: str, known: bool) -> None:
    answer = inspect(f"{family}-layout", kind, known=known)
    assert (answer["status"], answer["kind"]) == ("ok", "newspaper")
    assert answer["articles"] == []
    assert len(answer["links"]) == LAYOUTS[family]


@pytest.mark.parametrize("family", LAYOUTS)
@pytest.mark.parametrize("known", [True, False], ids=["address known", "address unknown"])
def test_an_article_page_gives_its_article(family: str, known: bool) -> None:
    answer = inspect(f"{family}-article", "newspaper", known=known)
    assert (answer["status"], answer["links"]) == ("ok", [])
    (article,) = answer["articles"]
    assert "高新区" in article["text"]


@pytest.mark.parametrize("family", ["founder-v1", "founder-v2"])
def test_a_front_page_gives_the_current_issue(family: str) -> None:
    (link,) = inspect(f"{family}-front", "newspaper")["links"]
    assert "2025" in link["url"]


def test_a_page_of_adverts_lists_nothing() -> None:
    answer = inspect("layoutlist-advert-page", "newspaper")
    assert (answer["status"], answer["links"]) == ("empty", [])
