"""The newspaper sites of the sample web: e-papers of the Founder v1 shape and an index of page PDFs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from scheduler.demo.articles import page_advert
from scheduler.demo.page_pdf import PageArticle, newspaper_page
from scheduler.demo.pages import Site, add_robots, render
from scheduler.demo.reply import HTML, PDF, make_reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scheduler.demo.articles import SampleArticle

#: The pages whose articles exist only in the PDF, by source.
PDF_ONLY = {"xibu-epaper": {"02"}}
_PAGE_NAMES = {"01": "要闻", "02": "党建", "03": "产业", "04": "副刊"}
_WEEKDAYS = "一二三四五六日"


@dataclass(slots=True)
class _NewspaperPage:
    number: str
    name: str
    href: str
    pdf: str
    members: list[SampleArticle]
    articles: list[dict[str, Any]] = field(default_factory=list)
    notice: str = ""
    next: str | None = None

    @property
    def image(self) -> str:
        return f"page{self.number}_b.jpg"


def build_newspaper(site: Site, articles: Sequence[SampleArticle]) -> None:
    """Fill `site` with an e-paper or, for the kind `pdf`, with an index of page PDFs."""
    add_robots(site)
    if site.source.family == "founder":
        _epaper(site, articles)
    else:
        _pdf_index(site, articles)


def page_pdf(publisher: str, number: str, articles: Sequence[SampleArticle], *, advert: bool) -> bytes:
    """The PDF of one newspaper page with these articles."""
    when = _day_long(articles[0].published)
    masthead = f"{publisher}　{when}　第{number}版"
    blocks = [
        PageArticle(a.title, a.paragraphs, f"□ {a.author}" if a.author else "", a.kicker, a.subtitle)
        for a in articles
    ]
    return newspaper_page(masthead, blocks, page_advert() if advert else None)


def _day_long(day: datetime) -> str:
    return f"{day.year}年{day.month}月{day.day}日　星期{_WEEKDAYS[day.weekday()]}"


def _add_pdf(site: Site, path: str, body: bytes) -> None:
    site.replies[path] = make_reply(body, PDF, site.changed)


def _epaper(site: Site, articles: Sequence[SampleArticle]) -> None:
    day = articles[0].published
    folder = f"/html/{day:%Y-%m}/{day:%d}/"
    pages = [_page(site, folder, number, articles) for number in sorted({a.page for a in articles})]
    for page, following in pairwise(pages):
        page.next = following.href
    for page in pages:
        text = render("founder_node.html", site=site, page=page, pages=pages, day_long=_day_long(day))
        site.add(folder + page.href, text, HTML)
        _contents(site, folder, page, _day_long(day))
    site.add(
        "/html/paperindex.htm",
        render("founder_index.html", site=site, target=f"{day:%Y-%m}/{day:%d}/node_1.htm"),
        HTML,
    )
    site.add("/", render("founder_index.html", site=site, target="html/paperindex.htm"), HTML)
    site.urls = ["/html/paperindex.htm"]


def _page(site: Site, folder: str, number: str, articles: Sequence[SampleArticle]) -> _NewspaperPage:
    members = [article for article in articles if article.page == number]
    day = members[0].published
    pdf = f"../../../page/{day:%Y-%m}/{day:%d}/{number}/{day:%Y%m%d}{number}_pdf.pdf"
    name = _PAGE_NAMES[number]
    page = _NewspaperPage(
        number, name, f"node_{int(number)}.htm", pdf, members, notice=f"content_99{number}.htm"
    )
    path = "/" + pdf.removeprefix("../../../")
    _add_pdf(site, path, page_pdf(site.title, number, members, advert=False))
    if number in PDF_ONLY.get(site.source.name, ()):
        site.paths |= {article.id: path for article in members}
        return page
    for index, article in enumerate(members):
        href = f"content_{article.number}.htm"
        site.paths[article.id] = folder + href
        page.articles.append({"title": article.title, "href": href, "coords": _coords(index)})
    return page


def _coords(index: int) -> str:
    """An L-shaped outline, as articles that wrap around a picture have."""
    top, bottom = index * 140 + 4, index * 140 + 136
    return f"4,{top},396,{top},396,{bottom - 40},210,{bottom - 40},210,{bottom},4,{bottom}"


def _contents(site: Site, folder: str, page: _NewspaperPage, day_long: str) -> None:
    for article in page.members if page.articles else ():
        related = [
            {"path": e["href"], "title": e["title"]} for e in page.articles if e["title"] != article.title
        ]
        text = render(
            "founder_content.html", site=site, a=article, page=page, related=related, day_long=day_long
        )
        site.add(site.paths[article.id], text, HTML)
    if page.articles:
        site.add(folder + page.notice, render("founder_notice.html", site=site, day_long=day_long), HTML)


def _pdf_index(site: Site, articles: Sequence[SampleArticle]) -> None:
    day = articles[0].published
    path = f"/pdf/{day:%Y%m%d}/{day:%Y%m%d}_03.pdf"
    _add_pdf(site, path, page_pdf(site.title, "03", articles, advert=True))
    site.paths = {article.id: path for article in articles}
    pages = [{"pdf": path, "number": "03", "name": "园区党建"}]
    text = render("pagepdf_index.html", site=site, pages=pages, day_long=_day_long(day))
    site.add("/pdf/index.html", text, HTML)
    site.add("/", text, HTML)
    site.urls = ["/pdf/index.html"]
