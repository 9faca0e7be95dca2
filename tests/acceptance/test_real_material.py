"""The real spiders over the real material: seeds and page PDFs in a drop folder, saved pages behind a loopback portal.

Prints what it found; the quality of each station is measured by the tests under tests/quality.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import func, select

from digest.issue import compose_issue
from store.articles import show_published, tag_names
from store.config import load_config
from store.database import Engine, make_engine, read_scope
from store.models import Article, Crawl, IssueStory, Quarantine, Source

pytestmark = pytest.mark.real

CRAWL = """
import os, sys
from datetime import datetime
from crawler.context import CrawlContext
from scheduler.crawls import crawl_here
from store.config import load_config
now = datetime.fromisoformat(sys.argv[1])
context = CrawlContext(load_config(sys.argv[2]), now=lambda: now)
crawl_here(context, [source for source in context.sources if source.name in sys.argv[3:]], log_level="ERROR")
"""
#: The Monday after each hand-in came, 08:00 in Shanghai, and what came in the week before.
WEEKS = (
    (datetime(2022, 7, 11, tzinfo=UTC), ["000.txt", "001.txt"], {"马鞍山慈湖高新区": 1}),
    (datetime(2024, 4, 1, tzinfo=UTC), ["002.txt"], {"宝鸡高新区": 1, "银川高新区": 1}),
    (datetime(2025, 7, 14, tzinfo=UTC), ["003.txt"], {"镇江高新区": 1, "苏州高新区": 1, "宝鸡高新区": 1}),
)


def crawl(folder: Path, now: datetime, *names: str) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PARKNEWS_CONFIG": str(folder / "parknews.toml"),
        "SCRAPY_SETTINGS_MODULE": "crawler.settings",
    }
    command = [sys.executable, "-c", CRAWL, now.isoformat(), str(folder / "parknews.toml"), *names]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def office(folder: Path, sources: str) -> Engine:
    (folder / "inbox").mkdir()
    (folder / "parknews.toml").write_text("[crawl]\ndelay = 0\nmax_articles = 500\n", encoding="utf-8")
    (folder / "sources.toml").write_text(sources, encoding="utf-8")
    return make_engine(f"sqlite:///{folder / 'var' / 'parknews.db'}")


INBOX = '[[source]]\nname = "inbox"\nkind = "folder"\npublisher = "收件"\npath = "inbox"\n'


def test_seeds_reach_the_issue_of_their_week(shared_data: Path, tmp_path: Path) -> None:
    engine = office(tmp_path, INBOX)
    for monday, names, zones in WEEKS:
        for name in names:
            shutil.copy(shared_data / "seeds" / name, tmp_path / "inbox" / name)
        crawl(tmp_path, monday, "inbox")
        issue = compose_issue(engine, load_config(str(tmp_path / "parknews.toml")), monday)
        assert issue is not None
        with read_scope(engine) as session:
            content = session.scalars(select(IssueStory.content).where(IssueStory.issue_id == issue.id)).all()
        found = {
            zone: sum(zone in [each["name"] for each in story["zones"]] for story in content)
            for zone in zones
        }
        print(
            f"\n{monday:%Y-%m-%d}: {', '.join(names)} -> {len(content)} stories: "
            + "; ".join(story["title"] for story in content)
        )
        assert found == zones
    check_the_reprint(engine, json.loads((shared_data / "seeds" / "001.json").read_text(encoding="utf-8")))


def check_the_reprint(engine: Engine, gold: dict[str, object]) -> None:
    with read_scope(engine) as session:
        original = session.scalars(select(Article).where(Article.url.like("%001.txt"))).one()
        masked = session.scalars(select(Article).where(Article.url.like("%000.txt"))).one()
        assert original.story_id == masked.story_id
        assert masked.relation == "anonymised"
        assert tag_names(masked, "zone") == ["马鞍山慈湖高新区"]
        assert original.title == "慈湖高新区:党建引领强动力 高质量发展有保障"
        assert (original.publisher, original.editor) == ("马鞍山日报", "徐皓")
        assert show_published(original) == "2022-07-08T10:27:00+08:00"
        forbidden = gold["must_not_contain"]
        assert isinstance(forbidden, list)
        assert [word for word in forbidden if word in original.text] == []


def test_newspaper_pdfs_become_articles(shared_data: Path, tmp_path: Path) -> None:
    engine = office(tmp_path, INBOX)
    for path in [
        *(shared_data / "newspaper" / "pages").glob("*.pdf"),
        *(shared_data / "newspaper" / "made").glob("*.pdf"),
    ]:
        shutil.copy(path, tmp_path / "inbox" / path.name)
    crawl(tmp_path, datetime(2026, 11, 23, tzinfo=UTC), "inbox")
    with read_scope(engine) as session:
        pages = dict(session.execute(select(Article.url, func.count()).group_by(Article.url)).all())
        unread = [(row.url, row.reason) for row in session.scalars(select(Quarantine))]
    print("\n" + "\n".join(f"{url}: {count} articles" for url, count in sorted(pages.items())), unread)
    assert [reason for _, reason in unread] == ["bad_unicode"]
    golds = [
        *(shared_data / "newspaper" / "gold").glob("*.json"),
        *(shared_data / "newspaper" / "made").glob("*.json"),
    ]
    wanted = sum(len(json.loads(gold.read_text(encoding="utf-8"))["articles"]) for gold in golds)
    assert len(pages) == 6
    assert abs(sum(pages.values()) - wanted) <= 2


@pytest.fixture
def portal(shared_data: Path, tmp_path: Path) -> Iterator[str]:
    """A portal whose one column leads to every saved page."""
    pages = sorted((shared_data / "html" / "pages").glob("*.html"))
    gold = {
        row["file"]: row
        for row in json.loads((shared_data / "html" / "gold.json").read_text(encoding="utf-8"))
    }
    rows = "".join(
        f'<li><a href="/{100000 + number}.html">{gold[path.name]["title"] or "没有标题的文章页面"}</a></li>'
        for number, path in enumerate(pages)
    )
    column = f'<html><head><meta charset="utf-8"><title>新闻</title></head><body><ul class="list">{rows}</ul></body></html>'.encode()

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.strip("/").removesuffix(".html")
            known = number.isdigit() and 0 <= int(number) - 100000 < len(pages)
            body = (
                column
                if self.path == "/list/"
                else pages[int(number) - 100000].read_bytes()
                if known
                else b""
            )
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/list/"
    server.shutdown()


def test_saved_pages_are_crawled_from_a_portal(shared_data: Path, tmp_path: Path, portal: str) -> None:
    source = f'[[source]]\nname = "portal"\nkind = "portal"\npublisher = "门户"\nurls = ["{portal}"]\ninternal = true\n'
    engine = office(tmp_path, source)
    crawl(tmp_path, datetime(2026, 11, 23, tzinfo=UTC), "portal")
    total = len(list((shared_data / "html" / "pages").glob("*.html")))
    with read_scope(engine) as session:
        kept = session.scalar(select(func.count()).select_from(Article)) or 0
        unread = dict(
            session.execute(select(Quarantine.reason, func.count()).group_by(Quarantine.reason)).all()
        )
        run = session.execute(select(Crawl, Source).join(Source)).one()[0]
        named = session.scalar(
            select(func.count()).select_from(Article).where(Article.publisher.is_not(None))
        )
    print(
        f"\nportal: {run.links} links of {total}, {kept} articles ({named} with their publisher), unread {unread}, dropped {run.stats}"
    )
    assert run.links >= 0.95 * total
    assert kept >= 0.95 * run.links
