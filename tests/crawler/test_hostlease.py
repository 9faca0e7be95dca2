"""A crawl by hand and the daemon never visit a host at the same time."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from store.database import read_scope, session_scope
from store.leases import acquire, release
from store.models import Article, Crawl, Lease
from store.schema import ensure
from tests.loopback import Office, Site


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
