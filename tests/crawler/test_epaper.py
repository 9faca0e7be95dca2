"""E-paper sites: addresses, families and odd pages (whole pages are in tests/pages/epaper)."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from crawler.exceptions import PageError, PageNotUnderstood
from crawler.pages.epaper import EpaperPage, JsonReaderPage, issue_urls, menu_url, post_form
from crawler.pages.epapers.addresses import day_of, is_article, is_layout
from crawler.pages.epapers.layouts import page_of
from crawler.pages.epapers.notices import is_advert_page, is_no_article

LAYOUT = "http://e.example/pc/layout/202503/18/node_01.html"
ARTICLE = "http://e.example/pc/con/202503/18/content_1.html"


@pytest.mark.parametrize(
    ("url", "other"),
    [
        (
            "http://e.example/hcrb/html/2024-12/31/node_2.htm",
            "http://e.example/hcrb/html/2025-01/01/node_2.htm",
        ),
        (
            "http://e.example/pc/layout/202412/31/node_A1.html",
            "http://e.example/pc/layout/202501/01/node_A1.html",
        ),
        (
            "http://e.example/2024/20241231/20241231_001/20241231_001.htm",
            "http://e.example/2025/20250101/20250101_001/20250101_001.htm",
        ),
        ("http://e.example/rb/2024/12/31/node_1.html", "http://e.example/rb/2025/01/01/node_1.html"),
        ("http://e.example/p?date=2024-12-31", "http://e.example/p?date=2025-01-01"),
        (
            "http://e.example/reader/layout/findBmMenu.do?docPubTime=20241231",
            "http://e.example/reader/layout/findBmMenu.do?docPubTime=20250101",
        ),
    ],
)
def test_the_address_of_another_day_follows_the_pattern(url: str, other: str) -> None:
    assert issue_urls(url, date(2024, 12, 31), date(2025, 1, 1)) == [
        (date(2024, 12, 31), url),
        (date(2025, 1, 1), other),
    ]


def test_a_range_without_days_is_empty_and_a_long_one_is_cut() -> None:
    assert issue_urls(LAYOUT, date(2025, 1, 2), date(2025, 1, 1)) == []
    assert issue_urls("http://e.example/paperindex.htm", date(2025, 1, 1), date(2025, 1, 2)) == []
    found = issue_urls(LAYOUT, date(1949, 10, 1), date(2025, 1, 1))
    assert len(found) == 3_700
    assert found[-1][0] == date(2025, 1, 1)


def test_numbers_that_are_no_days_are_left_alone() -> None:
    assert day_of("http://e.example/content_20251399.htm") is None
    assert day_of("http://e.example/120250318/x") is None


@pytest.mark.parametrize(
    "url",
    [
        "html/2025-03/18/node_2.htm",
        "pc/layout/202503/18/node_01B.html",
        "x/20250318_001/20250318_001.htm",
        "nbs.D110000hcrb_01.htm",
    ],
)
def test_addresses_of_newspaper_pages(url: str) -> None:
    assert is_layout(f"http://e.example/{url}")
    assert not is_article(f"http://e.example/{url}")


@pytest.mark.parametrize(
    "url",
    [
        "html/2025-03/18/content_101.htm",
        "html/2025-03/18/content_101_2.htm",
        "pc/con/202503/18/c5501.html",
        "PC/content/202503/18/content_3.html",
        "x/20250318_001/20250318_001_2.htm",
        "nw.D110000hcrb_20250318_1-01.htm",
    ],
)
def test_addresses_of_articles(url: str) -> None:
    assert is_article(f"http://e.example/{url}")
    assert not is_layout(f"http://e.example/{url}")


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("第01版：要闻", "01", "要闻"),
        ("A02版 园区新闻", "A02", "园区新闻"),
        ("第01B版：头版", "01B", "头版"),
        ("12版：要闻", "12", "要闻"),
        ("第3版", "3", None),
    ],
)
def test_number_and_name_of_a_page(text: str, number: str, name: str | None) -> None:
    assert page_of(text) == (number, name)


@pytest.mark.parametrize(
    "title",
    [
        "广告",
        "公 告",
        "图片报道",
        "图片新闻",
        "本版责编 周安",
        "责编:周安",
        "导读",
        "遗失声明",
        "关于延期的公告",
        "土地拍卖公告(第3号)",
        "广告：买房",
        "本报欢迎订阅",
        "12",
        "",
    ],
)
def test_what_is_listed_and_is_no_article(title: str) -> None:
    assert is_no_article(title)


@pytest.mark.parametrize(
    "title", ["把好广告导向关", "园区公告栏里的暖心事", "声明承诺制让企业少跑腿", "赤岭高新区党建图片展开幕"]
)
def test_articles_that_only_speak_of_such_things(title: str) -> None:
    assert not is_no_article(title)


def test_pages_of_adverts_are_told_by_their_name() -> None:
    assert is_advert_page("广告")
    assert is_advert_page("公益广告")
    assert not is_advert_page("要闻")


def test_json_readers_are_asked_by_post() -> None:
    url = menu_url("http://e.example/epaper/index.html", date(2025, 3, 18))
    assert url == "http://e.example/reader/layout/findBmMenu.do?docPubTime=20250318"
    assert post_form(url) == ("http://e.example/reader/layout/findBmMenu.do", {"docPubTime": "20250318"})


def test_the_front_of_a_json_reader_leads_to_the_day_asked_for() -> None:
    body = b'<script>$.post("/reader/layout/findBmMenu.do")</script>'
    front = EpaperPage(body, "http://e.example/epaper/index.html")
    assert (front.role(), front.issue_url()) == ("front", None)
    assert front.issue_url(date(2025, 3, 18)) == menu_url(front.url, date(2025, 3, 18))


def test_a_broken_json_answer_goes_to_quarantine() -> None:
    with pytest.raises(PageNotUnderstood, match="binary"):
        JsonReaderPage(b"[{", "http://e.example/reader/layout/getBmDetail.do").layouts()


def test_a_page_declared_gbk_with_a_utf8_bom_is_read_as_utf8() -> None:
    body = '\ufeff<html><head><meta charset="gbk"></head><body><a id=pageLink href=node_2.htm>第02版：园区</a></body></html>'
    page = EpaperPage(body.encode(), "http://e.example/html/2025-03/18/node_1.htm", declared="gbk")
    assert [link.title for link in page.layouts()] == ["第02版：园区"]


def test_links_to_other_papers_and_other_days_are_not_of_this_issue() -> None:
    body = """<a href="node_02.html">第02版：园区</a><a href="../17/node_01.html">昨天</a>
    <a href="http://other.example/pc/layout/202503/18/node_01.html">姊妹报</a>
    <a href="../../../con/202503/18/content_2.html">园区党建有新招</a><a href="../../../con/202503/17/content_9.html">昨天的文章</a>"""
    page = EpaperPage(body.encode(), LAYOUT)
    assert [link.url.rsplit("/", 1)[1] for link in page.layouts()] == ["node_02.html"]
    assert [link.title for link in page.links()] == ["园区党建有新招"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<" * 200_000,
        "<div>" * 20_000 + "文字",
        "<span>" * 20_000 + "第1版文字",
        "<founder-content>" * 15_000,
        "<td>" * 15_000 + "第1版",
        "<!-- enpproperty " + "<title>" * 20_000,
        "<!--" * 100_000,
        "<table>"
        + "".join(
            f"<tr><td><a href=node_{i}.html>第{i}版：x</a><a href='a{i}.pdf'></a>" for i in range(3_000)
        ),
        "".join(f"<p><a href='../../../con/202503/18/content_{i}.html'>标题{i}</a>" for i in range(6_000)),
        "<meta http-equiv=refresh content='" + ";url=" * 50_000 + "'>",
        "来源：" * 100_000,
        "2024年" * 100_000,
        '{"a":' * 5_000,
    ],
    ids=lambda body: body[:14],
)
@pytest.mark.parametrize("url", [LAYOUT, ARTICLE])
def test_hostile_pages_end_in_time_with_a_reason(body: str, url: str) -> None:
    begun = time.process_time()
    try:
        page = EpaperPage(body.encode(), url)
        page.links()
        page.layouts()
        page.pdf_url()
        page.to_items()
    except PageError:
        pass
    assert time.process_time() - begun < 6


#: Address, role, articles and newspaper pages of each real page that is known.
REAL = {
    "founder_v1_node_sczxb": ("http://e.example/html/2024-08/27/node_2.htm", "founder_v1", 7, 4),
    "founder_v1_node_snb": ("http://e.example/html/2024-07/19/node_7.htm", "founder_v1", 6, 4),
    "founder_v2_tqPaper_node": ("http://e.example/x/pc/layout/202409/20/node_1.html", "founder_v2_tq", 5, 8),
    "fzsyun_node": ("http://e.example/yyrb/2007/07/08/node_1.html", "fzsyun", 12, 4),
    "rmrb": ("http://e.example/rmrb/pc/layout/202412/25/node_01.html", "rmrb", 6, 20),
    "trs_nmrb": ("http://e.example/2024/20240909/20240909_001/20240909_001.htm", "trs", 8, 8),
    "js_kfrb": ("http://e.example/paper/newspaper.html", "script_shell", 0, 0),
    "aspnet": ("http://e.example/show_511074.html", "script_shell", 0, 0),
}


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_pages_give_all_their_articles(shared_data: Path, name: str) -> None:
    url, family, links, layouts = REAL[name]
    (file,) = (shared_data / "newspaper" / "html").glob(f"{name}*")
    page = EpaperPage(file.read_bytes(), url)
    assert (page.family(), len(page.links()), len(page.layouts())) == (family, links, layouts)


@pytest.mark.real
def test_real_articles_have_all_their_fields(shared_data: Path) -> None:
    folder = shared_data / "newspaper" / "html"
    (first,) = folder.glob("founder_v1_content*")
    (item,) = EpaperPage(first.read_bytes(), "http://e.example/html/2024-11/06/content_279424.htm").to_items()
    assert item.kicker == "学习运用“千万工程”经验 谱写三晋乡村振兴新篇章"
    assert (item.author, item.publisher, item.published_at) == ("翟步庭", "山西经济日报", "2024-11-06")
    assert (item.page_number, item.page_name) == ("01", "要闻")
    (second,) = folder.glob("founder_v2_tqPaper_content*")
    (item,) = EpaperPage(
        second.read_bytes(), "http://e.example/PC/content/202408/30/content_3.html"
    ).to_items()
    assert (item.subtitle, item.author, item.page_number) == (
        "一年一度中国国际新媒体短片节开幕",
        "赵伟君",
        "A02",
    )
    assert item.publisher == "深圳晚报"


def test_mutated_pages_end_with_articles_or_a_reason_word() -> None:
    rng = random.Random(5)
    cases = Path(__file__).parents[1] / "pages" / "epaper"
    pages = [path.read_bytes() for path in sorted(cases.glob("*/input.*"))]
    outcomes: Counter[str] = Counter()
    for _ in range(200):
        body = bytearray(rng.choice(pages))
        for _ in range(rng.choice((1, 5, 40))):
            place = rng.randrange(len(body) or 1)
            body[place : place + rng.randint(0, 60)] = rng.choice(
                [b"<", b">", b'"', b"href=http://[x", b"{", b"<!--", b"\x00"]
            )
        try:
            page = EpaperPage(bytes(body), rng.choice([LAYOUT, ARTICLE, "", "http://[x"]))
            found = [page.layouts(), page.links(), page.pdf_url(), page.issue_url()]
            outcomes["ok" if page.to_items() else str(found)] += 1
        except PageError as error:
            outcomes[error.reason] += 1
    assert outcomes["ok"] > 10
    assert outcomes["list_page"] > 10
