from pathlib import Path

import pytest

from digest.names import NO_THEME, SUPPLEMENT, load_names, province
from store.config import Classify, Config
from store.vocabulary.loading import VocabularyError


def test_themes_have_titles_short_ones_and_an_order() -> None:
    names = load_names(Config())
    assert names.theme("two_new") == "两新组织与非公党建"
    assert names.short("two_new") == "两新"
    assert (
        names.order("two_new") < names.order("chain") < names.order(NO_THEME[0]) < names.order(SUPPLEMENT[0])
    )


def test_a_theme_that_left_the_vocabulary_keeps_its_key() -> None:
    assert load_names(Config()).theme("gone") == "gone"


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ("合肥高新区", "安徽"),
        ("芜湖高新区", "安徽"),
        ("无此地高新区", ""),
        ("", ""),
        ("苏州工业园区", "江苏"),
    ],
)
def test_a_zones_province_comes_from_the_gazetteer_or_its_place(zone: str, wanted: str) -> None:
    assert load_names(Config()).province(zone) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("安徽省", "安徽"),
        ("北京市", "北京"),
        ("广西壮族自治区", "广西"),
        ("内蒙古自治区", "内蒙古"),
        ("安徽", "安徽"),
        ("", ""),
    ],
)
def test_provinces_have_one_spelling(given: str, wanted: str) -> None:
    assert province(given) == wanted


def test_an_offices_own_themes_are_used(tmp_path: Path) -> None:
    text = '[[theme]]\nkey = "talent"\nzh = "人才工作"\nen = "talent"\nterms = ["人才"]\n'
    (tmp_path / "themes.toml").write_text(text, encoding="utf-8")
    names = load_names(Config(classify=Classify(vocabulary=str(tmp_path))))
    assert dict(names.themes) == {"talent": "人才工作"}
    assert names.short("talent") == "人才工"


def test_a_broken_vocabulary_is_named(tmp_path: Path) -> None:
    (tmp_path / "themes.toml").write_text("[[theme]]\n", encoding="utf-8")
    with pytest.raises(VocabularyError, match=r"themes\.toml"):
        load_names(Config(classify=Classify(vocabulary=str(tmp_path))))
