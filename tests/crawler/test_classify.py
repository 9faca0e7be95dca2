from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.classify.classify import MAX_TEXT, Classification, Classifier, load_classifier
from crawler.classify.themes import ThemeTag
from crawler.classify.zones import ZoneTag
from store.vocabulary.loading import VocabularyError
from store.vocabulary.relevance import load_relevance

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "济南高新区召开党建工作推进会"
TEXT = "近日，济南高新区党工委召开会议，部署两新组织党建。高新区建成党群服务站35个，推行“红帆领航·链通高新”品牌。"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def test_a_relevant_article_has_zone_themes_score_and_reasons(classifier: Classifier) -> None:
    result = classifier.classify(TITLE, TEXT)
    assert result.relevant
    assert not result.borderline
    assert result.score > 0.9
    assert [(zone.name, zone.level, zone.role) for zone in result.zones] == [
        ("济南高新区", "national", "actor")
    ]
    assert "two_new" in {theme.key for theme in result.themes}
    assert any(reason.note == "party_near" and reason.term for reason in result.reasons)


def test_the_reasons_add_up_to_the_score(classifier: Classifier) -> None:
    import math

    result = classifier.classify(TITLE, TEXT)
    total = load_relevance().bias + sum(reason.weight for reason in result.reasons)
    assert result.score == pytest.approx(1 / (1 + math.exp(-total)), abs=0.01)


def test_spans_point_into_the_text_as_given_whatever_the_disguise(classifier: Classifier) -> None:
    text = "昨日，鄭州高(gāo)新\n區(qū)黨 建聯盟成立。"
    result = classifier.classify("", text)
    zone = result.zones[0]
    assert zone.name == "郑州高新区"
    assert text[zone.start : zone.end] == zone.text == "鄭州高(gāo)新\n區"
    theme = next(tag for tag in result.themes if tag.key == "chain")
    assert text[theme.start : theme.end] == theme.text == "黨 建聯盟"


def test_the_dictionary_form_is_json_with_spans(classifier: Classifier) -> None:
    values = json.loads(json.dumps(classifier.classify(TITLE, TEXT).to_dict(), ensure_ascii=False))
    assert set(values) == {
        *(
            "relevant",
            "borderline",
            "score",
            "reasons",
            "zones",
            "themes",
            "figures",
            "practices",
            "organisations",
        )
    }
    zone = values["zones"][0]
    assert TITLE[slice(*zone["span"])] == zone["text"] == "济南高新区"
    assert zone["field"] == "title"
    assert {"key", "span", "text", "field"} <= set(values["themes"][0])


def test_figures_practices_and_organisations_are_read_with_spans(classifier: Classifier) -> None:
    result = classifier.classify(TITLE, TEXT)
    figure = result.figures[0]
    assert (figure.number, figure.unit, figure.what) == ("35", "个", "党群服务站")
    assert TEXT[figure.start : figure.end] == figure.text == "35个"
    assert [practice.name for practice in result.practices] == ["红帆领航·链通高新"]
    names = [organisation.name for organisation in result.organisations]
    assert "济南高新区党工委" in names
    for practice in result.practices:
        assert TEXT[practice.start : practice.end] == practice.name
    for organisation in result.organisations:
        assert TEXT[organisation.start : organisation.end] == organisation.name


def test_a_borderline_article_is_kept_for_the_editor(classifier: Classifier) -> None:
    strict = load_classifier(threshold=1.0)
    result = strict.classify(TITLE, TEXT)
    assert not result.relevant
    assert result.borderline
    assert classifier.threshold == load_relevance().threshold


@pytest.mark.parametrize(
    "text", ["党建", "我们的党建工作" * 50, "全国各地深入学习贯彻党的精神，党员干部带头。"]
)
def test_party_work_without_a_zone_is_not_relevant(classifier: Classifier, text: str) -> None:
    result = classifier.classify("", text)
    assert not result.relevant
    assert not result.borderline
    assert result.reasons[0].note == "no zone"


@pytest.mark.parametrize(
    "sentence",
    ["以高质量党建带动发展", "非公企业党建", "抓党建促发展", "“党建+物业”", "黨建工作", "党 建工作"],
)
def test_dangjian_is_found_inside_sentences_without_word_boundaries(
    classifier: Classifier, sentence: str
) -> None:
    reasons = classifier.classify("", f"济南高新区{sentence}。").reasons
    assert any(reason.note == "party_near" and "建" in reason.term for reason in reasons)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "党",
        " ",
        "\n\n",
        "no Chinese at all",
        "🎉🚩" * 50,
        "\ud800党建\udfff高新区",
        "高新区" * 5,
        "\x00\x01\x02",
        "國家" * 100,
        "(((((qū",
        "…" * 300,
        "“" * 500,
        "<" * 500,
        "济" * 300,
    ],
)
def test_any_text_gets_a_verdict(classifier: Classifier, text: str) -> None:
    for title in ("", text):
        result = classifier.classify(title, text, url=text, publisher=text, source_zone=text, outlet=text)
        assert isinstance(result, Classification)
        assert 0 <= result.score <= 1


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="党建高新区济南州产业链链(（)qū 國區\n、“”…x*5个家\ud800🎉", max_size=120),
    st.text(max_size=40),
)
def test_spans_are_always_the_evidence(title: str, text: str) -> None:
    classifier = load_classifier()
    result = classifier.classify(title, text + title)
    fields = {"title": title.replace("\x01", " "), "text": text + title}
    tags: list[ZoneTag | ThemeTag] = [*result.zones, *result.themes]
    for tag in tags:
        assert fields[tag.field][tag.start : tag.end] == tag.text
        assert 0 <= tag.start < tag.end


@pytest.mark.parametrize(
    "unit",
    [
        "高新区",
        "济南高新区党建",
        "两新党建“三学”35个党委",
        "區(qū)",
        " 党",
        "、成都高新区",
        "光谷",
        "党建产业链",
        "市",
        "<a>",
        "1,111",
    ],
)
def test_five_megabytes_take_seconds_not_minutes(classifier: Classifier, unit: str) -> None:
    import time

    start = time.perf_counter()
    classifier.classify(TITLE, unit * (5_000_000 // len(unit)))
    assert time.perf_counter() - start < 5


def test_a_long_text_is_read_to_its_limit(classifier: Classifier) -> None:
    late = "。" * MAX_TEXT + "济南高新区党建"
    assert classifier.classify("", late).zones == []


def test_a_directory_overrides_single_files(tmp_path: Path) -> None:
    (tmp_path / "themes.toml").write_text(
        '[[theme]]\nkey = "tea"\nzh = "茶"\nen = "tea"\nterms = []\nstrong = ["茶话会"]\n', "utf-8"
    )
    own = load_classifier(tmp_path)
    assert [theme.key for theme in own.classify("高新区茶话会", "").themes] == ["tea"]


def test_a_broken_override_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "relevance.toml").write_text("[decision]\nthreshold = 2\n", "utf-8")
    with pytest.raises(
        VocabularyError, match=re.escape("relevance.toml:2: threshold must be a number from 0 to 1")
    ):
        load_classifier(tmp_path)


def test_a_visit_to_a_zone_is_left_to_the_editor(classifier: Classifier) -> None:
    result = classifier.classify("理工大学党支部赴济南高新区开展主题党日", TEXT)
    assert (result.relevant, result.borderline) == (False, True)
    assert result.reasons[0].note == "visitor_title: at most 0.45"
    assert result.reasons[0].term.startswith("大学")


def test_a_template_with_a_mask_for_a_name_is_refused(classifier: Classifier) -> None:
    result = classifier.classify("XX高新区党建工作总结", TEXT.replace("济南", "XX"))
    assert (result.relevant, result.borderline) == (False, False)


def test_other_parties_weigh_against(classifier: Classifier) -> None:
    result = classifier.classify("民建济南高新区支部换届", "民建济南高新区支部召开换届大会，市委统战部到会。")
    assert not result.relevant
    assert any(reason.note == "other_party_title" and reason.weight < 0 for reason in result.reasons)
