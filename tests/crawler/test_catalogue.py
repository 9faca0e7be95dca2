"""The sources that come with the product."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from crawler.sources.kinds import AnySource
from crawler.sources.loader import load_sources, read_sources
from store.config import load_config
from store.vocabulary.zones import load_zones

FOLDER = Path(str(files("crawler.sources")))
FILES = sorted(FOLDER.glob("*.toml"))


@pytest.fixture(scope="module")
def catalogue() -> list[AnySource]:
    return read_sources(FILES)


def test_the_catalogue_holds_at_least_a_hundred_sources_of_every_kind_of_outlet(
    catalogue: list[AnySource],
) -> None:
    assert len([source for source in catalogue if source.enabled]) >= 100
    kinds = Counter(source.kind for source in catalogue)
    assert kinds["portal"] >= 80
    assert kinds["epaper"] >= 60
    assert sum(".gov.cn" in source.host for source in catalogue) >= 30


def test_no_name_and_no_address_stands_twice() -> None:
    names: Counter[str] = Counter()
    addresses: Counter[str] = Counter()
    for path in FILES:
        for source in read_sources([path]):
            names[source.name] += 1
            addresses.update(url.rstrip("/").partition("://")[2] for url in source.start_urls)
    assert [name for name, count in names.items() if count > 1] == []
    assert [url for url, count in addresses.items() if count > 1] == []


def test_every_default_zone_is_in_the_gazetteer(catalogue: list[AnySource]) -> None:
    known = {zone.short for zone in load_zones()}
    assert [source.name for source in catalogue if source.zone and source.zone not in known] == []
    assert len({source.zone for source in catalogue if source.zone}) >= 80


def test_a_zones_own_site_names_its_zone(catalogue: list[AnySource]) -> None:
    hosts = {host: zone.short for zone in load_zones() for host in zone.hosts}
    wrong = []
    for source in catalogue:
        for host, zone in hosts.items():
            if source.host == host or source.host.endswith(f".{host}"):
                wrong += [] if source.zone == zone else [(source.name, source.zone, zone)]
    assert wrong == []


@pytest.mark.parametrize("key", ["publisher", "region", "interval", "layout", "known_from"])
def test_every_source_says(key: str, catalogue: list[AnySource]) -> None:
    assert [source.name for source in catalogue if not getattr(source, key)] == []


def test_an_address_that_is_only_a_guess_is_switched_off(catalogue: list[AnySource]) -> None:
    guesses = [source for source in catalogue if "guess" in f"{source.known_from} {source.note}"]
    assert guesses
    assert [source.name for source in guesses if source.enabled] == []


def test_no_address_leads_into_a_private_network(catalogue: list[AnySource]) -> None:
    assert [source.name for source in catalogue if source.internal] == []
    for source in catalogue:
        for url in source.start_urls:
            assert not (urlsplit(url).hostname or "").replace(".", "").isdigit(), source.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_sorted_by_name(path: Path) -> None:
    names = [
        line.partition('"')[2].rstrip('"\n')
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("name = ")
    ]
    assert names == sorted(names)


def test_the_configuration_switches_the_catalogue_on(tmp_path: Path, catalogue: list[AnySource]) -> None:
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nname = "12371"\nkind = "portal"\npublisher = "本办"\nurls = ["https://own.example/"]\n',
        encoding="utf-8",
    )
    config = tmp_path / "parknews.toml"
    config.write_text("[crawl]\ncatalogue = true\n", encoding="utf-8")
    loaded = {source.name: source for source in load_sources(load_config(str(config)))}
    assert len(loaded) == len(catalogue)
    assert loaded["12371"].publisher == "本办"  # the office's own table comes first
