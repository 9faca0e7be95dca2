"""What a crawl counts reaches the watch: faults are named from real visits."""

from __future__ import annotations

from sqlalchemy import select

from store.database import read_scope
from store.models import Crawl, Source
from tests.loopback import Office, Site


def test_a_column_that_leads_home_is_named_after_two_visits_with_where_it_leads(
    office: Office, site: Site
) -> None:
    links = [(f"/news/{number}.html", f"高新区召开第{number}次党建工作推进会") for number in range(4)]
    site.pages["/"] = site.list_page(links)
    site.pages["/dangjian/"] = (302, {"Location": "/"}, b"")
    for path, title in links:
        site.pages[path] = site.article_page(
            title, ["高新区党工委召开会议，部署下一阶段重点任务。" * 4] * 2, source=""
        )
    office.write_sources(
        f'[[source]]\nname = "a"\nkind = "portal"\npublisher = "日报"\nurls = ["{site.root}/dangjian/"]\ninternal = true\n'
    )
    for _ in range(2):
        done = office.run("parknews", "crawl")
        assert done.returncode == 0, done.stderr
    with read_scope(office.engine) as session:
        first = session.scalars(select(Crawl).order_by(Crawl.id)).first()
        assert first
        coverage = first.stats["coverage"]
        source = session.scalars(select(Source)).one()
    assert coverage["home"] == f"{site.root}/"
    assert (coverage["pages"], coverage["bodied"], coverage["articles"], coverage["dated"]) == (4, 4, 4, 4)
    assert source.faults["redirected_home"]["evidence"] == f"every list leads to {site.root}/"
    shown = office.run("parknews", "source", "show", "a").stdout
    assert "fault      redirected_home since" in shown
    assert "rhythm     not known yet" in shown
    assert shown.count("  article    ") == 3
    assert "高新区召开第3次党建工作推进会 (" in shown
