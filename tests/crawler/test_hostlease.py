"""A crawl by hand and the daemon never visit a host at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import select, update

from store.database import read_scope, session_scope
from store.leases import acquire, release
from store.models import Article, Crawl, Lease
from store.schema import ensure
from tests.acceptance.farm import running
from tests.loopback import Answer, Office, Site


def test_a_crawl_by_hand_leaves_out_a_host_that_is_being_visited_and_gives_its_own_up(
    office: Office, site: Site
) -> None:
    site.pages["/a/"] = site.list_page(
        [("/a/1.html", "高新区召开党建工作推进会"), ("/a/2.html", "高新区党工委召开会议")]
    )
    for number in (1, 2):
        site.pages[f"/a/{number}.html"] = site.article_page(
            f"高新区召开第{number}次党建工作推进会",
            ["高新区党工委召开党建工作推进会，部署下一阶段重点任务。" * 3] * 2,
        )
    office.write_sources(
        f'[[source]]\nname = "a"\nkind = "portal"\npublisher = "日报"\nurls = ["{site.root}/a/"]\ninternal = true\n'
    )
    engine = office.engine
    ensure(engine)
    host = f"host:127.0.0.1:{site.port}"
    with session_scope(engine) as session:
        assert acquire(session, host, "daemon:1", datetime.now(UTC), 300)
    busy = office.run("parknews", "crawl")
    assert busy.returncode == 1
    assert "host_busy" in busy.stdout
    assert site.asked == []
    with session_scope(engine) as session:
        release(session, host, "daemon:1")
    done = office.run("scrapy", "crawl", "a")
    assert done.returncode == 0, done.stderr
    with read_scope(engine) as session:
        assert len(session.scalars(select(Article)).all()) == 2
        assert [crawl.outcome for crawl in session.scalars(select(Crawl))] == ["ok"]
        assert session.scalars(select(Lease)).all() == []


def test_the_next_crawl_by_hand_waits_until_the_host_has_rested(office: Office) -> None:
    with running(["127.0.5.1"]) as farm:
        office.write_sources(
            "".join(
                f'[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "网"\nurls = ["{farm.root("127.0.5.1")}/{name}/"]\ninternal = true\n'
                for name in "ab"
            )
        )
        (office.folder / "parknews.toml").write_text("[crawl]\ndelay = 2\n", encoding="utf-8")
        for name in "ab":
            farm.pages["127.0.5.1", f"/{name}/"] = Site.list_page([])
            done = office.run("scrapy", "crawl", name)
            assert "host_busy" not in done.stderr
        assert farm.paths() == ["/robots.txt", "/a/", "/robots.txt", "/b/"]
        assert min(farm.gaps()["127.0.5.1"]) >= 2


CRAWL = """
import sys
import crawler.hostlease
crawler.hostlease.PROLONG_SECONDS = 0.5
from scrapy.cmdline import execute
execute(["scrapy", "crawl", "a"])
"""


def test_a_crawl_that_was_stopped_so_long_that_another_has_its_host_ends(office: Office, site: Site) -> None:
    def slow(_: dict[str, str]) -> Answer:
        time.sleep(1)
        return 200, {"Content-Type": "text/html"}, b"<p>late</p>"

    links = [(f"/a/2026/11/20/c{number}.html", f"高新区召开第{number}次党建会议") for number in range(30)]
    site.pages["/a/"] = site.list_page(links)
    site.pages |= {path: slow for path, _ in links}
    office.write_sources(
        f'[[source]]\nname = "a"\nkind = "portal"\npublisher = "日报"\nurls = ["{site.root}/a/"]\ninternal = true\n'
    )
    ensure(office.engine)
    environment = os.environ | {
        "PARKNEWS_CONFIG": str(office.folder / "parknews.toml"),
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
    }
    with subprocess.Popen([sys.executable, "-c", CRAWL], env=environment, cwd=office.folder) as crawl:
        while len(site.asked) < 4:
            assert crawl.poll() is None
            time.sleep(0.05)
        with session_scope(office.engine) as session:
            session.execute(update(Lease).values(holder="daemon:1"))
        assert crawl.wait(30) == 0
    assert len(site.asked) < 20
    with read_scope(office.engine) as session:
        assert [crawl.reason for crawl in session.scalars(select(Crawl))] == ["shutdown"]
        assert [lease.holder for lease in session.scalars(select(Lease))] == ["daemon:1"]
