"""Scores article reading on page families of Chinese sites filled with texts of our own, against pinned floors."""

from __future__ import annotations

import datetime as dt
import html
import json
import os
import re
import string
import tomllib
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crawler.exceptions import PageError
from crawler.pages.portal import PortalArticlePage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.items import ArticleItem

    Table = dict[str, Any]

HERE = Path(__file__).parent / "html"
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


PARAGRAPHS = {
    "p": "<p>　　{}</p>",
    "br": "　　{}<br><br>",
    "div": "<div>{}</div>",
    "section": "<section><span>{}</span></section>",
    "spans": '<p class="MsoNormal"><span style="font-size:16px"><span>{}</span></span></p>',
}
SUBHEADS = {"br": "　　<b>{}</b><br><br>"}
PICTURE = '<p style="text-align: center"><img src="/pic/{}.jpg" width="500"></p>\n<p style="text-align: center">{}</p>'


def fold(text: str | None) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text or ""))


def shingles(text: str) -> Counter[str]:
    text = fold(text)
    return Counter(text[i : i + 4] for i in range(max(len(text) - 3, 1)))


def f1(gold: str, got: str) -> float:
    want, have = shingles(gold), shingles(got)
    hit = sum((want & have).values())
    return 2 * hit / (sum(want.values()) + sum(have.values())) if hit else 0.0


def markup(article: Table, family: Table) -> str:
    style = family["paragraphs"]
    out = []
    for kind, text in article["blocks"]:
        shown = html.escape(text, quote=False)
        if kind == "p":
            out.append(PARAGRAPHS[style].format(shown))
        elif kind == "h":
            out.append(SUBHEADS.get(style, "<p><strong>{}</strong></p>").format(shown))
        elif family.get("caption") != "none":
            out.append(PICTURE.format(len(out), shown))
    return "\n".join(out)


def render(template: str, article: Table, family: Table) -> tuple[bytes, str]:
    year, month, day = article["day"].split("-")
    moment = dt.datetime.fromisoformat(f"{article['day']}T{article['time']}:00").replace(tzinfo=SHANGHAI)
    body = markup(article, family)
    values = {
        **{k: v for k, v in article.items() if isinstance(v, str)},
        "body": body, "year": year, "month": month, "dayofmonth": day, "cnday": f"{year}年{month}月{day}日",
        "epoch": str(int(moment.timestamp())), "jsonbody": json.dumps(body, ensure_ascii=True).replace("</", "<\\/"),
        "jsontitle": json.dumps(article["title"], ensure_ascii=False),
    }  # fmt: skip
    page = string.Template(template).substitute(values)
    url = family["url"].replace("2023/6/15", f"{year}/{int(month)}/{int(day)}")
    url = re.sub(r"2023([-_/]?)06([-_/]?)15", rf"{year}\g<1>{month}\g<2>{day}", url).replace(
        "/202306/", f"/{year}{month}/"
    )
    return page.encode(family.get("encoding", "utf-8"), "xmlcharrefreplace"), url


def made_pages() -> Iterator[tuple[str, bytes, str, Table, list[str]]]:
    families = tomllib.loads((HERE / "templates.toml").read_text("utf-8"))
    articles = tomllib.loads((HERE / "articles.toml").read_text("utf-8"))["article"]
    for name, family in families.items():
        template = (HERE / "templates" / f"{name}.html").read_text("utf-8")
        for article in articles:
            body, url = render(template, article, family)
            yield f"{name}/{article['title'][:8]}", body, url, article, family["shows"]


def score(article: Table, shows: list[str], item: ArticleItem) -> dict[str, float]:
    text = "\n".join(text for kind, text in article["blocks"] if kind != "img")
    published = item.published_at or ""
    dated = "minute" in shows or "day" in shows
    out: dict[str, float] = {
        "title": fold(item.title) == fold(article["title"]),
        "day": published[:10] == (article["day"] if dated else ""),
    }
    if "minute" in shows:
        out["minute"] = published[:16] == f"{article['day']}T{article['time']}"
    for key, got in (("source", item.publisher), ("author", item.author), ("editor", item.editor)):
        if key in shows and article[key]:
            out[key] = fold(got) == fold(article[key])
    out["body_mean"] = f1(text, item.text)
    out["body_good"] = out["body_mean"] >= 0.95
    out["whole"] = all(out[k] for k in out if k not in ("author", "editor", "body_mean"))
    return out


def read_all() -> dict[str, dict[str, float]]:
    rows = {}
    for name, body, url, article, shows in made_pages():
        try:
            rows[name] = score(article, shows, PortalArticlePage(body, url).to_items()[0])
        except PageError:
            rows[name] = {"title": 0, "day": 0, "body_mean": 0, "body_good": 0, "whole": 0}
    return rows


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, float]]:
    return read_all()


FLOORS = tomllib.loads((HERE / "floors.toml").read_text("utf-8"))


@pytest.mark.parametrize("measure", sorted(FLOORS))
def test_the_made_pages_are_read_no_worse_than_the_floor(
    rows: dict[str, dict[str, float]], measure: str
) -> None:
    values = [float(row[measure]) for row in rows.values() if measure in row]
    share = sum(values) / len(values)
    failed = {name: row for name, row in rows.items() if float(row.get(measure, 1)) < 0.95}
    assert share >= FLOORS[measure], f"{measure} {share:.3f}: {failed}"


def test_no_family_of_pages_is_unreadable(rows: dict[str, dict[str, float]]) -> None:
    families = defaultdict(list)
    for name, row in rows.items():
        families[name.partition("/")[0]].append(row["body_mean"])
    assert min(max(values) for values in families.values()) > 0.95


@pytest.mark.real
def test_real_pages_are_read_no_worse_than_the_peers_best() -> None:
    folder = Path(os.environ.get("PARKNEWS_DATA", "-")) / "html"
    if not (folder / "gold.json").is_file():
        pytest.skip("set PARKNEWS_DATA to a folder with html/gold.json and html/pages")
    titles, bodies = [], []
    for gold in json.loads((folder / "gold.json").read_text("utf-8")):
        if "doubtful" in gold or not gold["body_text"].strip():
            continue
        item = PortalArticlePage(
            (folder / "pages" / gold["file"]).read_bytes(), gold.get("url") or ""
        ).to_items()[0]
        titles.append(fold(item.title) == fold(gold["title"]))
        bodies.append(f1(gold["body_text"], item.text))
    assert sum(titles) / len(titles) >= 0.97
    assert sum(bodies) / len(bodies) >= 0.98
