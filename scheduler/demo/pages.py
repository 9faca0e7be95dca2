"""The pages of each sample site: path -> reply, and the addresses an operator would list as `urls`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from scheduler.demo.reply import BARE_HTML, HTML, JSON, PLAIN, XML, Reply, make_reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scheduler.demo.articles import SampleArticle
    from scheduler.demo.sources import SampleSource

#: Rows of one list page of the portals; the old portal and the zone's own site need a second page.
ROWS_PER_PAGE = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column (栏目) of a site and the path of its first list page."""

    name: str
    path: str


@dataclass(slots=True)
class Site:
    """One host: its pages, the paths for `urls`, and which path shows which article."""

    source: SampleSource
    base: str
    changed: datetime
    columns: list[Column] = field(default_factory=list)
    replies: dict[str, Reply] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    friends: list[dict[str, str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The name in the page head."""
        return self.source.publisher

    def add(self, path: str, text: str, content_type: str, **headers: str) -> None:
        """Put a text page under `path`, in the encoding of the site."""
        kind = BARE_HTML if content_type == HTML and self.source.encoding != "utf-8" else content_type
        self.replies[path] = make_reply(text.encode(self.source.encoding), kind, self.changed, **headers)


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The templates of the sample web; both HTML and XML are escaped."""
    return Environment(
        loader=PackageLoader("scheduler.demo", "templates"), autoescape=True, undefined=StrictUndefined
    )


def render(template: str, **values: Any) -> str:
    """Render a template of the sample web."""
    return templates().get_template(template).render(**values)


def build_site(site: Site, articles: Sequence[SampleArticle]) -> None:
    """Fill `site` with the pages of all families but the newspapers."""
    match site.source.family:
        case "gov" | "modern" | "oldtable":
            _portal(site, articles)
        case "plain" | "journal" | "coast":
            _feed_site(site, articles)
        case "jpage" | "media":
            _cms(site, articles)
        case _:
            _broken(site)
    _furniture(site)


def newest_first(articles: Sequence[SampleArticle]) -> list[SampleArticle]:
    """As list pages show them."""
    return sorted(articles, key=lambda article: (article.published, article.id), reverse=True)


def row(site: Site, article: SampleArticle) -> dict[str, Any]:
    """What lists, feeds and related links show of an article."""
    return {
        "title": article.title,
        "path": site.paths[article.id],
        "day": article.stamp("%Y-%m-%d"),
        "stamp": article.stamp(),
        "iso": article.published.isoformat(),
        "rfc822": format_datetime(article.published),
        "summary": article.paragraphs[0][:56],
        "publisher": article.publisher,
        "author": article.author,
        "number": article.number,
    }


def _path(site: Site, article: SampleArticle) -> str:
    day = article.published
    match site.source.family:
        case "gov":
            return f"{_column_path(site, article)}{day:%Y%m}/t{day:%Y%m%d}_{article.number}.html"
        case "modern":
            return f"/a/{day:%Y%m%d}/{article.number}.html"
        case "oldtable":
            return f"/show.asp?id={article.number}"
        case "jpage":
            return (
                f"/art/{day.year}/{day.month}/{day.day}/art_{_column_id(site, article)}_{article.number}.html"
            )
        case "media":
            return f"/content/{article.number}"
        case _:
            return f"/{day:%Y/%m/%d}/{article.number}.html"


def _column_path(site: Site, article: SampleArticle) -> str:
    return next((column.path for column in site.columns if column.name == article.column), "/")


def _column_id(site: Site, article: SampleArticle) -> int:
    return 21 + [column.name for column in site.columns].index(article.column)


def _set_columns(site: Site, articles: Sequence[SampleArticle]) -> None:
    names = list(dict.fromkeys(article.column for article in articles))
    patterns = {
        "gov": "/lm{}/",
        "modern": "/channel/{}/",
        "oldtable": "/list.asp?classid={}",
        "jpage": "/col/col{}/index.html",
        "media": "/channel/{}",
    }
    pattern = patterns[site.source.family]
    site.columns = [Column(name, pattern.format(21 + index)) for index, name in enumerate(names)]


def _add_articles(site: Site, articles: Sequence[SampleArticle]) -> None:
    ordered = newest_first(articles)
    site.paths = {article.id: _path(site, article) for article in ordered}
    rows = [row(site, article) for article in ordered]
    for index, article in enumerate(ordered):
        related = [rows[(index + step) % len(rows)] for step in (2, 3, 5)]
        text = render(
            f"{site.source.family}_article.html",
            site=site,
            a=article,
            related=related,
            hot=rows[:5],
            column_path=_column_path(site, article),
            url=site.base + site.paths[article.id],
        )
        site.add(site.paths[article.id], text, HTML)


def _portal(site: Site, articles: Sequence[SampleArticle]) -> None:
    _set_columns(site, articles)
    _add_articles(site, articles)
    for column in site.columns:
        members = newest_first([article for article in articles if article.column == column.name])
        _list_pages(site, column, [row(site, article) for article in members])


def _list_pages(site: Site, column: Column, rows: list[dict[str, Any]]) -> None:
    chunks = [rows[start : start + ROWS_PER_PAGE] for start in range(0, len(rows), ROWS_PER_PAGE)]
    paths = [_list_path(site, column, number) for number in range(len(chunks))]
    for number, (path, chunk) in enumerate(zip(paths, chunks, strict=True)):
        text = render(
            f"{site.source.family}_list.html",
            site=site,
            column=column,
            rows=chunk,
            hot=rows[:5],
            friends=site.friends,
            page_number=number + 1,
            page_count=len(chunks),
            previous_page=paths[number - 1] if number else None,
            next_page=paths[number + 1] if number + 1 < len(paths) else None,
        )
        cookie = {"Set_Cookie": "visit=1; Path=/"} if site.source.family == "modern" else {}
        site.add(path, text, HTML, **cookie)
        site.urls.append(path)


def _list_path(site: Site, column: Column, number: int) -> str:
    if not number:
        return column.path
    suffix = {"gov": f"index_{number}.html", "modern": f"list_{number + 1}.html"}
    return column.path + suffix.get(site.source.family, f"&page={number + 1}")


def _feed_site(site: Site, articles: Sequence[SampleArticle]) -> None:
    _add_articles(site, articles)
    rows = [row(site, article) for article in newest_first(articles)]
    names = {
        "plain": [("/feed.xml", "feed.xml")],
        "journal": [("/atom.xml", "atom.xml")],
        "coast": [("/sitemap.xml", "sitemap_index.xml"), ("/sitemap_news.xml", "sitemap_news.xml")],
    }[site.source.family]
    for path, template in names:
        site.add(path, render(template, site=site, base=site.base, rows=rows), XML)
    site.urls = [names[0][0]]


def _cms(site: Site, articles: Sequence[SampleArticle]) -> None:
    _set_columns(site, articles)
    _add_articles(site, articles)
    for index, column in enumerate(site.columns, start=21):
        members = newest_first([article for article in articles if article.column == column.name])
        rows = [row(site, article) for article in members]
        if site.source.family == "jpage":
            path = f"/module/web/jpage/dataproxy.jsp?columnid={index}&page=1&perpage=30"
            site.add(path, render("jpage_list.xml", rows=rows), XML)
        else:
            path = f"/api/content/list?channelId={index}&pageNo=1&pageSize=30"
            site.add(path, _json_list(rows), JSON)
        site.urls.append(path)
        site.add(column.path, _home(site, "本栏内容由脚本载入。"), HTML)


def _json_list(rows: list[dict[str, Any]]) -> str:
    entries = [
        {
            "id": r["number"],
            "title": r["title"],
            "url": r["path"],
            "publishTime": r["stamp"] + ":00",
            "source": r["publisher"],
            "summary": r["summary"],
        }
        for r in rows
    ]
    answer = {"code": 200, "msg": "ok", "data": {"total": len(entries), "pageNo": 1, "list": entries}}
    return json.dumps(answer, ensure_ascii=False)


def _broken(site: Site) -> None:
    site.urls = ["/dangjian/"]


def _home(site: Site, text: str) -> str:
    charset = "gb2312" if site.source.encoding != "utf-8" else "utf-8"
    return render("home.html", site=site, text=text, charset=charset)


def _furniture(site: Site) -> None:
    """Front page, about page and robots.txt, which every host has."""
    add_robots(site)
    site.add("/", _home(site, "欢迎访问本站。"), HTML)
    site.add("/about.html", _home(site, "本站为演示站点，内容均为虚构。"), HTML)


def add_robots(site: Site) -> None:
    """Put the robots.txt of the host: everything but search and administration is free."""
    lines = ["User-agent: *", "Disallow: /search", "Disallow: /admin/"]
    if site.source.family == "coast":
        lines.append(f"Sitemap: {site.base}/sitemap.xml")
    site.replies["/robots.txt"] = make_reply("\n".join([*lines, ""]).encode(), PLAIN, site.changed)
