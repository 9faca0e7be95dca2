"""How the crawler behaves towards thirty sites: what it asks for again, how fast, and what it is told not to do."""

from __future__ import annotations

import resource
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import func, select

from store.database import read_scope
from store.models import Article, Source
from tests.acceptance.farm import HTML, Farm, Headers, Reply, running
from tests.loopback import Office, Site

HOSTS = [f"127.0.1.{number}" for number in range(1, 31)]
CONTACT = "https://office.example/about-parknews"
CITIES = [
    "宝鸡",
    "银川",
    "镇江",
    "苏州",
    "株洲",
    "合肥",
    "芜湖",
    "蚌埠",
    "淄博",
    "济南",
    "潍坊",
    "襄阳",
    "宜昌",
    "洛阳",
    "安阳",
    "柳州",
    "桂林",
    "绵阳",
    "德阳",
    "玉溪",
]
DEEDS = [
    "走访企业",
    "上党课",
    "评议支部",
    "发展党员",
    "整治楼道",
    "慰问老人",
    "植树造林",
    "调解纠纷",
    "培训骑手",
    "帮扶农户",
    "巡查河道",
    "宣讲条例",
]


@pytest.fixture
def farm() -> Iterator[Farm]:
    with running(HOSTS) as made:
        yield made


def configure(office: Office, farm: Farm, hosts: list[str], delay: float) -> None:
    (office.folder / "parknews.toml").write_text(
        f'[crawl]\ndelay = {delay}\ntimeout = 10\nwall_seconds = 300\ncontact = "{CONTACT}"\n',
        encoding="utf-8",
    )
    tables = [
        f'[[source]]\nname = "site-{host.rpartition(".")[2]}"\nkind = "portal"\npublisher = "第{host}号站"\n'
        f'urls = ["{farm.root(host)}/list.html"]\ninternal = true\n'
        for host in hosts
    ]
    office.write_sources("\n".join(tables))


def headline(host: str, number: int) -> str:
    at = int(host.rpartition(".")[2]) * 7 + number
    return f"{CITIES[at % 20]}高新区党员{DEEDS[at % 12]}第{at}次活动举行"


def article(host: str, number: int) -> bytes:
    at = int(host.rpartition(".")[2]) * 7 + number
    lines = [
        f"{CITIES[(at + step) % 20]}高新区{DEEDS[(at + step) % 12]}，第{at * 31 + step}支部{at + step}名党员参加，"
        f"现场登记事项{at * 13 + step * 5}件，{DEEDS[(at * 3 + step) % 12]}安排在{step + 1}月{at % 28 + 1}日。"
        for step in range(6)
    ]
    return Site.article_page(headline(host, number), lines)


def publish(farm: Farm, host: str, count: int, extra: list[tuple[str, str]] | None = None) -> None:
    """Let a site show `count` articles on a list with an ETag, as any server does."""
    links = [(f"/a/{number}.html", headline(host, number)) for number in range(count)]
    page = Site.list_page([*links, *(extra or [])])
    tag = f'"{host}-{count}"'

    def answer(headers: Headers) -> Reply:
        if headers.get("if-none-match") == tag:
            return 304, {"ETag": tag}, b""
        return 200, HTML | {"ETag": tag}, page

    farm.pages[host, "/list.html"] = answer
    for number in range(count):
        farm.pages[host, f"/a/{number}.html"] = article(host, number)


def crawl(office: Office, farm: Farm, what: str) -> subprocess.CompletedProcess[str]:
    farm.forget()
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = office.run("parknews", "crawl", timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what}: {len(farm.asked)} requests, {time.monotonic() - started:.1f} s, {cpu:.1f} s CPU")
    assert "Traceback" not in done.stderr, done.stderr
    return done


def count_articles(office: Office) -> int:
    with read_scope(office.engine) as session:
        return session.scalar(select(func.count()).select_from(Article)) or 0


def test_thirty_unchanged_sites_cost_a_list_each(farm: Farm, office: Office) -> None:
    farm.pages["", "/robots.txt"] = (
        200,
        {"Content-Type": "text/plain"},
        b"User-agent: *\nDisallow: /private/\n",
    )
    for host in HOSTS:
        publish(farm, host, 3)
    configure(office, farm, HOSTS, 0)

    first = crawl(office, farm, "first visit of 30 sites")
    assert first.returncode == 0, first.stderr
    assert count_articles(office) == 90
    assert Counter(farm.paths("/a/")) == {f"/a/{number}.html": 30 for number in range(3)}
    assert max(farm.most_at_once.values()) == 1
    assert {one.agent.partition("/")[0] for one in farm.asked} == {"parknews"}
    assert all(CONTACT in one.agent for one in farm.asked)

    crawl(office, farm, "second visit, nothing new")
    assert farm.paths("/a/") == []
    assert len(farm.paths("/list")) == 30
    assert len(farm.asked) <= 60  # the lists and each site's robots.txt
    assert {one.status for one in farm.asked if one.path == "/list.html"} == {304}
    assert count_articles(office) == 90

    for host in HOSTS:
        publish(farm, host, 4)
    crawl(office, farm, "third visit, one new article each")
    assert Counter(farm.paths("/a/")) == {"/a/3.html": 30}
    assert count_articles(office) == 120
    assert max(farm.most_at_once.values()) == 1


def test_the_delay_holds_between_any_two_requests_of_a_host(farm: Farm, office: Office) -> None:
    farm.latency, farm.setup = 0.05, 0.3
    hosts = HOSTS[:4]
    for host in hosts:
        publish(farm, host, 4)
        page = farm.pages[host, "/a/1.html"]
        assert isinstance(page, bytes)
        farm.pages[host, "/a/1.html"] = (200, HTML | {"Connection": "close"}, page)
    configure(office, farm, hosts, 0.5)
    done = crawl(office, farm, "four sites, half a second between requests")
    assert done.returncode == 0, done.stderr
    assert count_articles(office) == 16
    gaps = farm.gaps()
    assert {len(found) for found in gaps.values()} == {5}  # robots.txt, list and four articles
    assert min(min(found) for found in gaps.values()) >= 0.5, "also after a request that had to connect first"
    assert max(farm.most_at_once.values()) == 1


def test_two_sources_of_one_host_do_not_share_its_patience(farm: Farm, office: Office) -> None:
    host = HOSTS[0]
    publish(farm, host, 6)
    farm.pages[host, "/more.html"] = Site.list_page(
        [(f"/b/{number}.html", headline(host, 40 + number)) for number in range(6)]
    )
    for number in range(6):
        farm.pages[host, f"/b/{number}.html"] = article(host, 40 + number)
    configure(office, farm, [host], 0.1)
    text = (office.folder / "sources.toml").read_text(encoding="utf-8")
    office.write_sources(text + "\n" + text.replace("site-1", "site-1b").replace("/list.html", "/more.html"))
    crawl(office, farm, "two sources of one host")
    assert count_articles(office) == 12
    assert farm.most_at_once[host] == 1
    assert farm.paths("/robots") == ["/robots.txt"] * 2  # once a visit
    assert min(farm.gaps()[host]) >= 0.1


def test_what_robots_txt_forbids_is_never_asked_for(farm: Farm, office: Office) -> None:
    closed, partly = HOSTS[:2]
    farm.pages[closed, "/robots.txt"] = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /\n")
    farm.pages[partly, "/robots.txt"] = (
        200,
        {"Content-Type": "text/plain"},
        b"User-agent: *\nDisallow:\n\nUser-agent: parknews\nDisallow: /private/\n",
    )
    publish(farm, closed, 2)
    publish(farm, partly, 2, [("/private/1.html", "内部通报：宝鸡高新区党员名单公示情况说明")])
    farm.pages[partly, "/private/1.html"] = article(partly, 60)
    configure(office, farm, [closed, partly], 0)

    crawl(office, farm, "robots.txt")
    assert {one.path for one in farm.asked if one.host == closed} == {"/robots.txt"}
    assert "/private/1.html" not in farm.paths()
    assert count_articles(office) == 2
    with read_scope(office.engine) as session:
        states = {row.name: (row.state, row.last_reason) for row in session.scalars(select(Source))}
    assert states["site-1"] == ("down", "robots")
    assert states["site-2"][0] == "up"

    crawl(office, farm, "robots.txt again")
    assert [one.status for one in farm.asked if (one.host, one.path) == (partly, "/list.html")] == [304]


def test_a_server_that_says_when_to_come_back_is_obeyed(farm: Farm, office: Office) -> None:
    seconds, date, list_and_article = HOSTS[:3]
    later = datetime.now(UTC) + timedelta(hours=5)
    farm.pages[seconds, "/list.html"] = (429, HTML | {"Retry-After": "14400"}, b"slow down")
    farm.pages[date, "/list.html"] = (
        503,
        HTML | {"Retry-After": format_datetime(later, usegmt=True)},
        b"soon",
    )
    publish(farm, list_and_article, 2)
    farm.pages[list_and_article, "/a/1.html"] = (429, HTML | {"Retry-After": "21600"}, b"slow down")
    configure(office, farm, HOSTS[:3], 0)

    crawl(office, farm, "Retry-After")
    assert Counter(farm.paths("/list")) == {"/list.html": 3}  # not tried again at once
    now = datetime.now(UTC)
    with read_scope(office.engine) as session:
        due = {row.name: row.next_check_at or now for row in session.scalars(select(Source))}
    assert due["site-1"] >= now + timedelta(hours=3, minutes=55)
    assert due["site-2"] >= later - timedelta(minutes=5)
    assert due["site-3"] >= now + timedelta(hours=5, minutes=55)

    farm.forget()
    assert "nothing is due" in office.run("parknews", "crawl", "--due").stdout
    assert farm.asked == []


def test_a_site_that_has_had_enough_is_left_alone_for_the_rest_of_the_visit(
    farm: Farm, office: Office
) -> None:
    tired, other = HOSTS[:2]
    for host in (tired, other):
        publish(farm, host, 6)
    for number in range(6):
        farm.pages[tired, f"/a/{number}.html"] = (429, HTML, b"enough")
    configure(office, farm, [tired, other], 0)
    crawl(office, farm, "429 without a word how long")
    # one more may be on its way when the answer comes
    assert len([one for one in farm.asked if one.host == tired and one.path.startswith("/a/")]) <= 2
    assert count_articles(office) == 6
    with read_scope(office.engine) as session:
        reasons = {row.name: row.last_reason for row in session.scalars(select(Source))}
    assert reasons == {"site-1": "http_429", "site-2": None}

    publish(farm, tired, 6)
    crawl(office, farm, "the next visit")
    assert len(farm.paths("/a/")) == 6  # the list was asked for whole, since its articles were never read
    assert count_articles(office) == 12
