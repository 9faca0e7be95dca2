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

import pytest

from crawler.exceptions import PageError
from crawler.pages.portal import PortalArticlePage

HERE = Path(__file__).parent / "html"
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


def fold(text):
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text or ""))


def shingles(text):
    text = fold(text)
    return Counter(text[i : i + 4] for i in range(max(len(text) - 3, 1)))


def f1(gold, got):
    want, have = shingles(gold), shingles(got)
    hit = sum((want & have).values())
    return 2 * hit / (sum(want.values()) + sum(have.values())) if hit else 0.0


def markup(article, family):
    style = family.get("paragraphs", "p")
    out = []
    for kind, text in article["blocks"]:
        text = html.escape(text, quote=False)
        if kind == "img":
            if family.get("caption") != "none":
                out.append(
                    f'<p style="text-align: center"><img src="/pic/{len(out)}.jpg" width="500"></p><p style="text-align: center">{text}</p>'
                )
        elif kind == "h":
            out.append({"br": f"　　<b>{text}</b><br><br>"}.get(style, f"<p><strong>{text}</strong></p>"))
        else:
            out.append(
                {"br": f"　　{text}<br><br>", "p": f"<p>　　{text}</p>"}.get(style)
                or f"<{style}>{text}</{style}>"
            )
    return "\n".join(out)


def render(template, article, family):
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
    url = (
        family["url"]
        .replace("202306/t20230615", f"{year}{month}/t{year}{month}{day}")
        .replace("2023/0615", f"{year}/{month}{day}")
    )
    url = url.replace("20230615", f"{year}{month}{day}").replace(
        "2023/6/15", f"{year}/{int(month)}/{int(day)}"
    )
    url = url.replace("2023-06/15", f"{year}-{month}/{day}").replace("2023_06_15", f"{year}_{month}_{day}")
    return page.encode(family.get("encoding", "utf-8"), "xmlcharrefreplace"), url


def made_pages():
    families = tomllib.loads((HERE / "templates.toml").read_text("utf-8"))
    articles = tomllib.loads((HERE / "articles.toml").read_text("utf-8"))["article"]
    for name, family in families.items():
        template = (HERE / "templates" / f"{name}.html").read_text("utf-8")
        for article in articles:
            yield (
                f"{name}/{article['title'][:8]}",
                *render(template, article, family),
                article,
                family["shows"],
            )


def score(article, shows, item):
    text = "\n".join(text for kind, text in article["blocks"] if kind != "img")
    published = item.published_at or ""
    out = {"title": fold(item.title) == fold(article["title"]), "day": published[:10] == article["day"]}
    if "minute" in shows:
        out["minute"] = published[:16] == f"{article['day']}T{article['time']}"
    for key, got in (("source", item.publisher), ("author", item.author), ("editor", item.editor)):
        if key in shows and article[key]:
            out[key] = fold(got) == fold(article[key])
    out["body_mean"] = f1(text, item.text)
    out["body_good"] = out["body_mean"] >= 0.95
    out["whole"] = all(out[k] for k in out if k not in ("author", "editor", "body_mean"))
    return out


def read_all():
    rows = {}
    for name, body, url, article, shows in made_pages():
        try:
            rows[name] = score(article, shows, PortalArticlePage(body, url).to_items()[0])
        except PageError as error:
            rows[name] = {
                "title": False,
                "day": False,
                "body_mean": 0.0,
                "body_good": False,
                "whole": False,
                "why": str(error),
            }
    return rows


@pytest.fixture(scope="module")
def rows():
    return read_all()


FLOORS = tomllib.loads((HERE / "floors.toml").read_text("utf-8"))


@pytest.mark.parametrize("measure", sorted(FLOORS))
def test_the_made_pages_are_read_no_worse_than_the_floor(rows, measure):
    values = [float(row[measure]) for row in rows.values() if measure in row]
    share = sum(values) / len(values)
    failed = {name: row for name, row in rows.items() if float(row.get(measure, 1)) < 0.95}
    assert share >= FLOORS[measure], f"{measure} {share:.3f}: {failed}"


def test_no_family_of_pages_is_unreadable(rows):
    families = defaultdict(list)
    for name, row in rows.items():
        families[name.partition("/")[0]].append(row["body_mean"])
    assert min(max(values) for values in families.values()) > 0.95


@pytest.mark.real
def test_real_pages_are_read_no_worse_than_the_must_reach_table():
    folder = Path(os.environ.get("PARKNEWS_DATA", "")) / "html"
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


if __name__ == "__main__":
    for name, row in read_all().items():
        wrong = {k: v for k, v in row.items() if v is False or (k == "body_mean" and v < 0.97) or k == "why"}
        if wrong:
            print(name, wrong)
