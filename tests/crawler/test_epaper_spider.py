"""E-paper sites of every family visited from their front page to the stored articles, over a loopback web."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from store.articles import show_published
from store.database import read_scope
from store.models import Article, Crawl, Source
from tests.crawler.newspapers import FAMILIES, Family, PrintedArticle
from tests.loopback import Answer, Office, Site
from tests.newspaper_pages.simple import simple_page
from tests.newspaper_pages.typeset import pdf_of

ZONES = ("衡川", "临泽", "青岚", "东陵", "海昌", "云水", "长宁")
PDF = (200, {"Content-Type": "application/pdf"}, b"")


def today() -> date:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


def put(site: Site, family: Family, zone: str, days: list[date], current: date) -> str:
    """Put a paper's front page and its issues on the site; return the front page's path."""
    root = f"/{family.name}/"
    for day in days:
        for path, body in family.issue(root, zone, day).items():
            site.pages[path] = (200, {"Content-Type": "text/html"}, body)
    front = root + family.front
    site.pages[front] = family.front_page(family.address(family.layout, current)).encode()
    return front


def entry(site: Site, family: Family, front: str, more: str = "") -> str:
    return (
        f'[[source]]\nname = "{family.name}"\nkind = "epaper"\npublisher = "本报"\nurls = ["{site.root}{front}"]\n'
        f"internal = true\n{more}\n"
    )


def articles(family: Family, zone: str, day: date) -> dict[str, PrintedArticle]:
    """The articles of an issue by their path."""
    return {
        f"/{family.name}/{family.address(family.article, day, page, number)}": PrintedArticle(
            f"{zone}日报", zone, page, number, day
        )
        for page, number in ((1, 1), (1, 2), (2, 1))
    }


def outcomes(office: Office) -> dict[str, tuple[str, str | None]]:
    with read_scope(office.engine) as session:
        rows = session.execute(select(Crawl, Source).join(Source).order_by(Crawl.id))
        return {row.name: (crawl.outcome, crawl.reason) for crawl, row in rows}


def test_papers_of_every_family_are_read_each_article_once(site: Site, office: Office) -> None:
    day, sources = today(), ""
    pdf = pdf_of([(simple_page(), "flow")], random.Random(1))
    for family, zone in zip(FAMILIES, ZONES, strict=True):
        sources += entry(site, family, put(site, family, zone, [day], day))
        for page in (1, 2, 3):
            site.pages[f"/{family.name}/{family.address(family.pdf, day, page)}"] = (*PDF[:2], pdf)
    office.write_sources(sources)
    done = office.run("parknews", "crawl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(office) == {family.name: ("ok", None) for family in FAMILIES}, done.stdout
    with read_scope(office.engine) as session:
        kept = {article.url.removeprefix(site.root): article for article in session.scalars(select(Article))}
    for family, zone in zip(FAMILIES, ZONES, strict=True):
        for path, news in articles(family, zone, day).items():
            article = kept.pop(path)
            assert (article.title, article.kicker) == (news.title, news.kicker), family.name
            assert article.text.split("\n") == news.texts, family.name
            assert (article.author or "郭晓燕") == "郭晓燕", family.name
            assert (article.page_number or "").lstrip("0A") == str(news.page), family.name
            assert show_published(article) == day.isoformat(), family.name
            assert article.publisher == news.paper, family.name
            assert len(article.images) == ((news.page, news.number) == (1, 1)), family.name
            assert site.count(path) == 1, family.name
        for page in (1, 2, 3):
            path = f"/{family.name}/{family.address(family.pdf, day, page)}"
            assert site.count(path) == (page == 3), f"{family.name}, page {page}"
        assert (
            kept.pop(f"/{family.name}/{family.address(family.pdf, day, 3)}").title == "云溪把支部建在产业链上"
        )
    assert not kept
    site.asked.clear()
    assert office.run("parknews", "crawl").returncode == 0
    assert not [path for path, _ in site.asked if "content" in path or path.endswith(".pdf")]


def test_earlier_issues_are_read_over_the_days_asked_for(site: Site, office: Office) -> None:
    day = today()
    days = [day, day - timedelta(days=1), day - timedelta(days=3)]  # no paper two days ago
    sources = ""
    chosen = [(FAMILIES[n], ZONES[n]) for n in (0, 2, 5, 6)]
    for family, zone in chosen:
        front = put(site, family, zone, [*days, day - timedelta(days=4)], day)
        sources += entry(site, family, front, "back = 3")
    office.write_sources(sources)
    done = office.run("parknews", "crawl")
    assert outcomes(office) == {family.name: ("ok", None) for family, _ in chosen}, done.stdout
    with read_scope(office.engine) as session:
        kept = {url.removeprefix(site.root) for url in session.scalars(select(Article.url))}
    wanted = {path for family, zone in chosen for d in days for path in articles(family, zone, d)}
    assert kept == wanted


@pytest.mark.parametrize("family", [FAMILIES[0], FAMILIES[1]], ids=lambda family: family.name)
def test_an_issue_that_is_not_out_yet_is_no_error(site: Site, office: Office, family: Family) -> None:
    front = put(site, family, "衡川", [], today())
    office.write_sources(entry(site, family, front))
    office.run("parknews", "crawl")
    assert outcomes(office) == {family.name: ("ok", None)}


def answer_at(site: Site, path: str) -> Answer:
    answer = site.pages[path]
    assert isinstance(answer, tuple)
    return answer


def test_an_article_that_goes_on_on_another_page_is_one(site: Site, office: Office) -> None:
    family, zone, day = FAMILIES[1], ZONES[1], today()
    front = put(site, family, zone, [day], day)
    head, _, tail = articles(family, zone, day)
    for path, old, new in (
        (head, "年内新建党群服务站", "年内新建党群服务站（下转02版）</p><p hidden>"),
        (tail, "<p>　　近日", "<p>（上接01版）近日"),
    ):
        status, headers, body = answer_at(site, path)
        assert old.encode() in body
        site.pages[path] = (status, headers, body.replace(old.encode(), new.encode(), 1))
    status, headers, body = answer_at(site, head)
    cut = body.index("（下转02版）".encode()) + len("（下转02版）".encode())
    end = body.index(b"<p><img")
    site.pages[head] = (status, headers, body[:cut] + b"</p>" + body[end:])
    office.write_sources(entry(site, family, front))
    assert office.run("parknews", "crawl").returncode == 0
    with read_scope(office.engine) as session:
        kept = {article.url.removeprefix(site.root): article for article in session.scalars(select(Article))}
    assert head in kept
    assert tail not in kept
    assert "年内新建党群服务站近日，" in kept[head].text
    assert "下转" not in kept[head].text
    assert "continued" not in kept[head].flags
    site.asked.clear()
    assert office.run("parknews", "crawl").returncode == 0
    assert site.count(head) == site.count(tail) == 0
    assert office.run("parknews", "article", "reread").stdout.startswith("2 same")
