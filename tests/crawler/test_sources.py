"""The sources file: every kind, every fault with file and line."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from crawler.sources.kinds import KINDS, FolderSource, PortalSource
from crawler.sources.loader import load_sources, read_sources
from crawler.spiders.walk import Walk
from crawler.spiders.walks import WALKS
from scheduler.forking import PRELOADED
from store.config import Config, ConfigError, Crawl

GOOD = '[[source]]\nname = "{name}"\nkind = "portal"\npublisher = "某报"\nurls = ["https://a.cn/list"]\n'


def write(tmp_path: Path, text: str, name: str = "sources.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_kind_is_walked() -> None:
    assert set(WALKS) == set(KINDS)
    for module, name in WALKS.values():
        assert issubclass(getattr(import_module(f"crawler.spiders.{module}"), name), Walk)
        assert f"crawler.spiders.{module}" in PRELOADED


def test_sources_come_sorted_with_their_own_interval(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.format(name="b") + 'interval = "90m"\n' + GOOD.format(name="a"))
    found = read_sources([path])
    assert [source.name for source in found] == ["a", "b"]
    assert [source.interval_seconds for source in found] == [None, 5400]
    assert isinstance(found[0], PortalSource)
    assert (found[0].kind, found[0].host) == ("portal", "a.cn")


def test_a_folder_has_no_host(tmp_path: Path) -> None:
    (found,) = read_sources(
        [write(tmp_path, '[[source]]\nname = "inbox"\nkind = "folder"\npublisher = "本办"\npath = "inbox"\n')]
    )
    assert isinstance(found, FolderSource)
    assert (found.host, found.start_urls) == ("", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GOOD.format(name="a") + GOOD.format(name="b").replace("portal", "portl"),
            ":8: [[source]] kind must be",
        ),
        (
            GOOD.format(name="a").replace("publisher", "publischer"),
            "[[source]] has no key publischer; did you mean publisher?",
        ),
        (
            GOOD.format(name="a").replace('["https://a.cn/list"]', '"https://a.cn/list"'),
            ":5: [[source]] urls must be a list in [ ]",
        ),
        (GOOD.format(name="a").replace("https:", "file:"), ":5:"),
        (GOOD.format(name="A b"), ":2:"),
        (GOOD.format(name="a") + 'include = "("\n', "include is no regular expression"),
        (
            GOOD.format(name="a") + GOOD.format(name="a"),
            ":7: [[source]] name 'a' is used in ",
        ),
        (GOOD.format(name="a") + 'interval = "often"\n', ":6:"),
        ("[[source]\n", ":1:"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_sources([path])
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_folder_of_files_is_read_and_a_name_used_in_two_of_them_is_a_fault(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    config = Config(crawl=Crawl(sources="own"), path=str(tmp_path / "parknews.toml"), base=str(tmp_path))
    write(own, GOOD.format(name="a"), "1.toml")
    write(own, GOOD.format(name="b"), "2.toml")
    assert [source.name for source in load_sources(config)] == ["a", "b"]
    write(own, GOOD.format(name="b") + GOOD.format(name="a"), "2.toml")
    with pytest.raises(ConfigError) as caught:
        load_sources(config)
    assert str(caught.value) == (
        f"{own}/2.toml:7: [[source]] name 'a' is used in {own}/1.toml:2 too; names must differ"
    )


def test_a_missing_file_is_an_error_only_with_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file of sources"):
        load_sources(Config(path=str(tmp_path / "parknews.toml"), base=str(tmp_path)))
    assert load_sources(Config(base=str(tmp_path))) == []


def test_the_starter_file_is_sound(tmp_path: Path) -> None:
    text = files("scheduler.starter").joinpath("sources.toml").read_text(encoding="utf-8")
    assert len(read_sources([write(tmp_path, text)])) >= 3


def test_include_and_exclude_choose_addresses(tmp_path: Path) -> None:
    (found,) = read_sources(
        [write(tmp_path, GOOD.format(name="a") + 'include = "/djgx/"\nexclude = "video"\n')]
    )
    assert isinstance(found, PortalSource)
    wanted = [
        url
        for url in ("https://a.cn/djgx/1.html", "https://a.cn/djgx/video/1.html", "https://a.cn/1.html")
        if found.wants(url)
    ]
    assert wanted == ["https://a.cn/djgx/1.html"]
