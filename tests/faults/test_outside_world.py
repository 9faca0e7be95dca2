"""Faults of the outside world, met in one visit to a web of bad hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from store.database import make_engine, read_scope
from store.models import Article, Crawl, Source
from tests.faults.hostile_web import (
    Done,
    Host,
    Visit,
    drip,
    endless_body,
    endless_head,
    gzip_bomb,
    list_page,
    run,
    serving,
)

LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
) + b"]><rss><channel><title>&j;</title><item><title>&j;</title><link>/a</link></item></channel></rss>"  # fmt: skip
XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&f;</title><link>http://a.example/1</link></item></channel></rss>'
DEEP = b"<rss><channel>" + b"<item>" * 100_000
TRAP_LINKS = 3000


@dataclass
class Visited:
    """One visit of everything: what the hosts were asked, what the sources came to."""

    done: Done
    hosts: dict[str, Host]
    outcomes: dict[str, tuple[str, str | None]]
    reasons: dict[str, dict[str, int]]
    titles: list[str]


def _redirects(visit: Visit, secret: Host) -> None:
    targets = [
        f"{secret.root}/secret",
        f"http://2130706441:{secret.port}/secret",
        f"http://0x7f.9:{secret.port}/secret",
        f"http://0177.0.0.9:{secret.port}/secret",
        f"http://127.9:{secret.port}/secret",
        f"http://[::1]:{secret.port}/secret",
        f"http://[::ffff:127.0.0.9]:{secret.port}/secret",
        f"http://localhost:{secret.port}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://100.100.100.200/latest/meta-data/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "data:text/html,<h1>secret</h1>",
        "ftp://127.0.0.9/secret",
        "gopher://127.0.0.9/",
        "//127.0.0.9/secret",
    ]
    if visit.path == "/list":
        visit.page(list_page([f"/go/{number}.html" for number in range(len(targets))]))
    else:
        visit.redirect(targets[int(visit.path.removeprefix("/go/").removesuffix(".html"))])


def _trap(visit: Visit) -> None:
    number = int("0" + "".join(filter(str.isdigit, visit.path)))
    visit.page(list_page([f"/day/{number * TRAP_LINKS + n}.html" for n in range(1, TRAP_LINKS)]))


def _round(visit: Visit) -> None:
    visit.redirect(f"/again/{int('0' + ''.join(filter(str.isdigit, visit.path))) + 1}")


def _feed(body: bytes) -> Host:
    return Host(f"127.0.0.{20 + len(body) % 100}", lambda visit: visit.page(body, kind="application/rss+xml"))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visited]:
    secret = Host("127.0.0.9", lambda visit: visit.page("机密".encode()))
    bomb = gzip_bomb(300)
    hosts = {
        "redirects": Host("127.0.0.1", lambda visit: _redirects(visit, secret)),
        "bomb": Host("127.0.0.3", lambda visit: visit.page(bomb, "Content-Encoding: gzip\r\n")),
        "drip": Host("127.0.0.4", drip),
        "endless": Host("127.0.0.5", endless_body),
        "head": Host("127.0.0.6", endless_head),
        "round": Host("127.0.0.7", _round),
        "trap": Host("127.0.0.8", _trap),
        "laughs": Host("127.0.0.11", lambda visit: visit.page(LAUGHS, kind="application/rss+xml")),
        "xxe": Host("127.0.0.12", lambda visit: visit.page(XXE, kind="application/rss+xml")),
        "deep": Host("127.0.0.13", lambda visit: visit.page(DEEP, kind="application/rss+xml")),
        "neighbour": Host("127.0.0.1", lambda visit: visit.page(list_page(["/a.html"]))),
    }
    folder = tmp_path_factory.mktemp("office")
    proxy = Host("127.0.0.14", lambda visit: visit.page("代理".encode()))
    with serving(secret, proxy, *hosts.values()):
        hosts["secret"] = secret
        _write_office(folder, hosts)
        done = run(folder, "crawl", proxy=proxy.root)
        hosts["proxy"] = proxy
        yield _visited(folder, done, hosts)


def _write_office(folder: Path, hosts: dict[str, Host]) -> None:
    (folder / "parknews.toml").write_text(
        "[crawl]\ndelay = 0\ntimeout = 2\nwall_seconds = 60\nmax_page_mb = 2\nmax_articles = 20\n",
        encoding="utf-8",
    )
    kinds = dict.fromkeys(("laughs", "xxe", "deep"), "rss")
    tables = [
        f'[[source]]\nname = "{name}"\nkind = "{kinds.get(name, "portal")}"\npublisher = "x"\nurls = ["{host.root}/list"]\n'
        f"internal = {str(name != 'neighbour').lower()}\n"
        for name, host in hosts.items()
        if name != "secret"
    ]
    (folder / "sources.toml").write_text("\n".join(tables), encoding="utf-8")


def _visited(folder: Path, done: Done, hosts: dict[str, Host]) -> Visited:
    engine = make_engine(f"sqlite:///{folder / 'var' / 'parknews.db'}")
    with read_scope(engine) as session:
        rows = session.execute(
            select(Source.name, Crawl.outcome, Crawl.reason, Crawl.stats).join(Source)
        ).all()
        titles = list(session.scalars(select(Article.title)))
    engine.dispose()
    outcomes = {name: (outcome, reason) for name, outcome, reason, _ in rows}
    return Visited(done, hosts, outcomes, {name: stats for name, _, _, stats in rows}, titles)


def test_no_redirect_leads_to_this_machine_its_neighbours_or_the_metadata(visited: Visited) -> None:
    """SSRF: every address is looked at after DNS and after each redirect; private ones and other schemes are refused."""
    assert len(visited.hosts["redirects"].asked) == 18
    assert visited.hosts["secret"].asked == []
    assert visited.titles == []
    assert visited.reasons["redirects"].get("private_address", 0) >= 9


def test_a_proxy_of_the_environment_is_asked_for_nothing(visited: Visited) -> None:
    """SSRF by way of a proxy: it would look names up by itself, so proxy variables are not heeded by anything of ours."""
    assert visited.hosts["proxy"].asked == []


def test_an_internal_host_is_closed_to_sources_that_are_not_internal(visited: Visited) -> None:
    """SSRF beside an internal source: only that source may visit its host."""
    assert visited.hosts["neighbour"].asked == []
    assert visited.outcomes["neighbour"] == ("failed", "private_address")


def test_three_hundred_megabytes_in_a_small_file_are_not_unpacked(visited: Visited) -> None:
    """gzip bomb: unpacking stops at the size limit."""
    assert visited.outcomes["bomb"] == ("failed", "too_large")
    assert 50 < visited.done.megabytes < 250


def test_a_server_that_drips_is_left(visited: Visited) -> None:
    """slow server: a download has a total time, however steadily its bytes come."""
    assert visited.outcomes["drip"] == ("failed", "timeout")
    assert visited.done.seconds < 90


def test_a_page_without_end_is_cut_off(visited: Visited) -> None:
    """huge page: the download stops at the size limit."""
    assert visited.outcomes["endless"] == ("failed", "too_large")


def test_a_head_without_end_is_cut_off(visited: Visited) -> None:
    """huge headers: the connection is closed at 256 KB."""
    assert visited.outcomes["head"] == ("failed", "too_large")


def test_redirects_without_end_are_given_up(visited: Visited) -> None:
    """endless redirects: five are followed."""
    assert visited.outcomes["round"] == ("failed", "redirects")
    assert len(visited.hosts["round"].asked) == 6


def test_a_calendar_without_end_is_left_at_the_limit(visited: Visited) -> None:
    """traps, endless calendars: a visit asks for as many articles as its limit says and follows no links out of them."""
    assert len(visited.hosts["trap"].asked) <= 21


@pytest.mark.parametrize("name", ["laughs", "xxe", "deep"])
def test_xml_that_means_harm_is_an_error_at_once(visited: Visited, name: str) -> None:
    """billion laughs, XXE, deep XML: no entity is resolved, depth and size are capped; the source fails with a reason."""
    assert visited.outcomes[name][0] == "failed"
    assert "root:" not in visited.done.output


def test_one_bad_host_keeps_no_other_source_from_its_visit(visited: Visited) -> None:
    """all of these at once: the visit ends in time, says what was wrong with each, and no trace of the code is shown."""
    assert len(visited.outcomes) == 11
    assert "Traceback" not in visited.done.output
