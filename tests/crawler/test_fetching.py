"""Fetching by hand: public http and https only, capped, every failure one line."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crawler.fetching import FetchError, fetch
from crawler.public_addresses import is_public
from tests.faults.hostile_web import Host, drip, serving
from tests.loopback import Site


def test_a_page_is_fetched_with_its_declared_encoding(site: Site) -> None:
    site.pages["/a"] = (200, {"Content-Type": "text/html; charset=gbk"}, "党建".encode("gbk"))
    page = fetch(f"{site.root}/a", user_agent="test", allow_private=True)
    assert (page.body.decode("gbk"), page.declared, page.content_type) == ("党建", "gbk", "text/html")


@pytest.mark.usefixtures("proxy_nobody_may_use")
def test_a_proxy_of_the_environment_is_not_used(site: Site) -> None:
    site.pages["/a"] = "党建".encode()
    assert fetch(f"{site.root}/a", user_agent="test", allow_private=True).body == "党建".encode()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::1]",
        "169.254.169.254",
        "10.0.0.1",
        "0.0.0.0",
    ],
)
def test_private_addresses_are_refused_in_every_spelling(site: Site, host: str) -> None:
    with pytest.raises(FetchError):
        fetch(f"http://{host}:{site.port}/a", user_agent="test", timeout=2)
    assert site.asked == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.cn/x", "data:text/html,x", "javascript:1", "//a.cn", "http://"]
)
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(FetchError, match="only http and https"):
        fetch(url, user_agent="test")


def test_a_redirect_to_another_scheme_is_refused(site: Site) -> None:
    site.pages["/a"] = (302, {"Location": "file:///etc/passwd"}, b"")
    with pytest.raises(FetchError):
        fetch(f"{site.root}/a", user_agent="test", allow_private=True)


def test_a_status_and_a_closed_port_are_named(site: Site) -> None:
    with pytest.raises(FetchError, match="HTTP 404"):
        fetch(f"{site.root}/none", user_agent="test", allow_private=True)
    with pytest.raises(FetchError, match="refused"):
        fetch("http://127.0.0.1:9/", user_agent="test", allow_private=True)


def test_a_redirect_to_a_private_address_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages["/a"] = (302, {"Location": f"http://127.0.0.1:{site.port}/b"}, b"")
    site.pages["/b"] = b"secret"
    monkeypatch.setattr("crawler.fetching.is_public", _all_but_the_first())
    with pytest.raises(FetchError, match=r"private address 127\.0\.0\.1"):
        fetch(f"{site.root}/a", user_agent="test")
    assert site.count("/b") == 0


def _all_but_the_first() -> Callable[[str], bool]:
    """A public site is not to be had here: the first look says yes, later ones what is true."""
    looks = iter([True])
    return lambda address: next(looks, is_public(address))


def test_a_page_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host("127.0.0.1", drip)
    begun = time.monotonic()
    with serving(host), pytest.raises(FetchError, match="too slow"):
        fetch(f"{host.root}/a", user_agent="test", timeout=0.4, allow_private=True)
    assert time.monotonic() - begun < 10


def test_redirects_without_end_are_given_up(site: Site) -> None:
    site.pages["/a"] = (302, {"Location": "/a"}, b"")
    with pytest.raises(FetchError):
        fetch(f"{site.root}/a", user_agent="test", allow_private=True)
    assert site.count("/a") < 10
