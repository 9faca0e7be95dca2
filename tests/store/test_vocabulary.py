from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from store.vocabulary.loading import VocabularyError
from store.vocabulary.places import county_short, load_outlets, load_prefectures
from store.vocabulary.relevance import load_relevance
from store.vocabulary.themes import load_themes
from store.vocabulary.zones import NATIONAL, load_zones

if TYPE_CHECKING:
    from pathlib import Path

ZONE = '[[zone]]\nshort = "甲高新区"\nofficial = "甲高新技术产业开发区"\nlevel = "national"\nprovince = "甲省"\ncity = "甲"\n'
THEME = '[[theme]]\nkey = "a"\nzh = "甲"\nen = "A"\nterms = ["党建"]\n'


def fails(directory: Path, name: str, text: str, loader: object) -> str:
    (directory / name).write_text(text, "utf-8")
    with pytest.raises(VocabularyError) as error:
        loader(directory)  # type: ignore[operator]
    message = str(error.value)
    assert message.startswith(str(directory / name))
    return message.removeprefix(f"{directory / name}:")


def test_all_178_national_zones_are_there_with_their_status() -> None:
    national = [zone for zone in load_zones() if zone.level == NATIONAL]
    assert len(national) == 178
    assert all(zone.status and zone.approved for zone in national)
    assert len({zone.short for zone in load_zones()}) == len(load_zones())


def test_a_host_belongs_to_one_zone() -> None:
    hosts = [host for zone in load_zones() for host in zone.hosts]
    assert len(hosts) == len(set(hosts))
    assert all(re.fullmatch(r"[a-z0-9.-]+", host) for host in hosts)


def test_the_twelve_themes_have_both_names_and_words() -> None:
    themes = load_themes()
    assert [theme.key for theme in themes] == [
        *(
            "two_new",
            "chain",
            "gig",
            "governance",
            "org",
            "organs",
            "soe",
            "mass",
            "study",
            "discipline",
            "venue",
            "service",
        )
    ]
    assert all(theme.zh and theme.en and theme.terms and theme.strong for theme in themes)


def test_relevance_rules_say_what_they_were_fitted_on() -> None:
    rules = load_relevance()
    assert "articles" in rules.fitted_on or "pages" in rules.fitted_on
    assert 0 < rules.borderline < rules.threshold < 1


def test_places_cover_the_country() -> None:
    prefectures = load_prefectures()
    assert len(prefectures) > 330
    assert sum(len(prefecture.counties) for prefecture in prefectures) > 2800
    assert set(load_outlets().values()) <= {prefecture.name for prefecture in prefectures}


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("浏阳市", "浏阳"),
        ("湘阴县", "湘阴"),
        ("吴中区", "吴中"),
        ("恭城瑶族自治县", "恭城"),
        ("矿区", "矿区"),
        ("鄂温克族自治旗", "鄂温克族自治旗"),
    ],
)
def test_the_short_name_of_a_county_drops_its_class(full: str, short: str) -> None:
    assert county_short(full)[:2] == short[:2]


def test_a_directory_without_the_file_falls_back_to_the_product(tmp_path: Path) -> None:
    assert load_zones(tmp_path) == load_zones()
    assert load_themes(tmp_path) == load_themes()
    assert load_relevance(tmp_path) == load_relevance()


def test_an_alias_of_two_zones_is_reported_with_its_line(tmp_path: Path) -> None:
    second = ZONE.replace("甲", "乙") + 'aliases = ["甲高新区"]\n'
    assert (
        fails(tmp_path, "zones.toml", ZONE + second, load_zones)
        == "13: '甲高新区' is already a name of 甲高新区"
    )


def test_the_same_zone_twice_is_reported(tmp_path: Path) -> None:
    assert fails(tmp_path, "zones.toml", ZONE + ZONE, load_zones).startswith(
        "8: '甲高新区' is already a name"
    )


def test_broken_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    assert re.match(r"\d+: ", fails(tmp_path, "zones.toml", ZONE + "aliases = [\n", load_zones))
    assert re.match(r"\d+: ", fails(tmp_path, "themes.toml", THEME + 'not = ["x\n', load_themes))
    said = fails(tmp_path, "themes.toml", THEME.replace('["党建"]', "[“党建”]"), load_themes)
    assert said == '5: terms: “ is a full-width sign; type " instead'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (THEME + 'colour = "red"\n', "6: unknown key 'colour'"),
        (THEME + THEME, "7: theme 'a' stands twice"),
        (THEME + 'strong = ["党建"]\n', "5: '党建' stands in strong and in terms"),
        (THEME.replace('"党建"', '"党建", "党建"'), "5: '党建' stands twice in terms"),
        (THEME.replace('"党建"', '"党"'), "5: '党' is too short"),
        (THEME.replace('"党建"', '"…党建"'), "5: '…党建' is too short"),
        (THEME.replace('"党建"', '"党…建…设"'), "5: '党…建…设' has more than one …"),
        (THEME.replace('["党建"]', '"党建"'), "5: terms must be a list of words"),
        (THEME.replace('["党建"]', "[5]"), "5: terms holds something that is no word"),
        (THEME.replace('zh = "甲"', "zh = 5"), "3: zh must be text"),
        ("", "1: no [[theme]] in the file"),
    ],
)
def test_every_mistake_in_the_themes_has_its_line(tmp_path: Path, text: str, message: str) -> None:
    got = fails(tmp_path, "themes.toml", text, load_themes)
    assert got.startswith(message), got


def test_a_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "themes.toml").write_bytes(b"# ok\n\xff\xfe")
    with pytest.raises(VocabularyError, match=re.escape("themes.toml:2: is not UTF-8")):
        load_themes(tmp_path)


def test_a_level_that_is_none_is_reported(tmp_path: Path) -> None:
    text = ZONE.replace('"national"', '"county"')
    assert fails(tmp_path, "zones.toml", text, load_zones).startswith(
        "4: level must be national or provincial"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[decision]\nthreshold = 2\n", "2: threshold must be a number"),
        ("[decision]\nthreshold = 0.2\nborderline = 0.5\n", "3: borderline must not be above threshold"),
        ("", "1: no [decision]"),
    ],
)
def test_every_mistake_in_the_relevance_rules_has_its_line(tmp_path: Path, text: str, message: str) -> None:
    got = fails(tmp_path, "relevance.toml", text, load_relevance)
    assert got.startswith(message), got
