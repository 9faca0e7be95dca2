from __future__ import annotations

import pytest

from crawler.classify.classify import Classifier, load_classifier
from crawler.classify.zones import ZoneTag


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier()


def zones(classifier: Classifier, text: str, title: str = "", **more: str) -> dict[str, ZoneTag]:
    return {zone.name: zone for zone in classifier.classify(title, text, **more).zones}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("济南高新区党建", "济南高新区"),
        ("济南高新技术产业开发区党建", "济南高新区"),
        ("济南国家高新技术产业开发区党建", "济南高新区"),
        ("济南市高新区党建", "济南高新区"),
        ("济南国家级高新区党建", "济南高新区"),
        ("山东济南高新区党建", "济南高新区"),
        ("濟南高新區黨建", "济南高新区"),
        ("济南高新（xīn）区党建", "济南高新区"),
        ("济 南 高 新 区党建", "济南高新区"),
        ("济南高\n新区党建", "济南高新区"),
        ("襄樊高新区党建", "襄阳高新区"),
        ("大连高新技术产业园区党建", "大连高新区"),
        ("江海区（高新区）与高新区（江海区）党建", "江门高新区"),
        ("成都高新党工委部署党建", "成都高新区"),
        ("江苏省太仓高新区党建", "太仓高新区"),
        ("金坛区高新区党建", "金坛高新区"),
    ],
)
def test_every_spelling_of_a_zone_is_the_zone(classifier: Classifier, text: str, name: str) -> None:
    found = zones(classifier, text)
    assert list(found) == [name]
    assert found[name].resolved_by == "name"


@pytest.mark.parametrize(
    "text",
    [
        "合肥经开区党建",
        "兰州新区党建",
        "郑州航空港区党建",
        "某大学科技园党建",
        "高新技术企业党支部",
        "高新技术产业增加值",
        "全国178家国家高新区",
        "全省各高新区党建",
        "成都高新科技有限公司党支部",
    ],
)
def test_look_alikes_are_no_zone(classifier: Classifier, text: str) -> None:
    assert zones(classifier, text) == {}


def test_maanshan_is_not_anshan_and_gaoxinqu_is_not_the_industrial_park(classifier: Classifier) -> None:
    assert list(zones(classifier, "马鞍山高新区党建")) == ["马鞍山慈湖高新区"]
    assert list(zones(classifier, "苏州工业园区党建")) == ["苏州工业园区"]
    assert list(zones(classifier, "苏州高新区党建")) == ["苏州高新区"]


@pytest.mark.parametrize(
    "text", ["高新区召开党建会", "**高新区召开党建会", "XX高新区召开党建会", "某高新区召开党建会"]
)
def test_a_zone_nothing_tells_stays_unresolved(classifier: Classifier, text: str) -> None:
    found = zones(classifier, text)
    assert list(found) == ["unresolved"]
    assert found["unresolved"].role == "mention"


def test_a_masked_zone_is_not_resolved_by_anything(classifier: Classifier) -> None:
    found = zones(classifier, "**高新区召开党建会", publisher="济南日报")
    assert "济南高新区" not in found


def test_a_bare_zone_is_resolved_in_the_order_agreed(classifier: Classifier) -> None:
    bare = "高新区召开党建会。"
    clues = {"publisher": "贵阳高新区", "outlet": "济宁日报", "url": "https://gxq.luzhou.gov.cn/1.html"}
    in_text = f"安阳市委要求，{bare}"
    assert zones(classifier, f"西安高新区部署。{bare}", **clues)["西安高新区"].role == "actor"
    assert zones(classifier, in_text, **clues)["贵阳高新区"].resolved_by == "publisher"
    clues.pop("publisher")
    assert zones(classifier, in_text, **clues)["济宁高新区"].resolved_by == "outlet"
    clues.pop("outlet")
    assert zones(classifier, in_text, **clues)["泸州高新区"].resolved_by == "host"
    assert zones(classifier, in_text, source_zone="青岛高新区")["青岛高新区"].resolved_by == "source"
    assert zones(classifier, in_text)["安阳高新区"].resolved_by == "city"
    assert zones(classifier, f"沟赵办事处走访老党员，{bare}")["郑州高新区"].resolved_by == "street"


def test_two_cities_far_apart_do_not_decide(classifier: Classifier) -> None:
    text = "济宁与潍坊两地代表参会。" + "会议内容从略。" * 8 + "高新区召开党建会。"
    assert list(zones(classifier, text)) == ["unresolved"]


def test_our_zone_on_its_own_site_is_that_zone(classifier: Classifier) -> None:
    found = zones(classifier, "我区召开党建会，全区党员参加。", url="https://www.cdht.gov.cn/a.html")
    assert found["成都高新区"].role == "actor"
    assert (found["成都高新区"].field, found["成都高新区"].text) == ("host", "www.cdht.gov.cn")


def test_a_zone_only_listed_or_compared_is_a_mention(classifier: Classifier) -> None:
    text = (
        "郑州高新区召开党建会，学习借鉴成都高新区经验。"
        + "郑州高新区各支部参加。" * 20
        + "西安高新区、合肥高新区等地来函祝贺。"
    )
    found = zones(classifier, text)
    assert {name for name, zone in found.items() if zone.role == "actor"} == {"郑州高新区"}
    assert {"成都高新区", "西安高新区", "合肥高新区"} <= set(found)


def test_members_of_an_alliance_act(classifier: Classifier) -> None:
    text = "成都高新区与重庆高新区成立党建联盟。成都高新区、重庆高新区签署协议。"
    assert {zone.role for zone in zones(classifier, text).values()} == {"actor"}


def test_an_unknown_provincial_zone_is_read_off_its_repetition(classifier: Classifier) -> None:
    found = zones(classifier, "青岭高新区召开党建会。会上，青岭高新区表彰支部。")
    assert found["青岭高新区"].level == "provincial"


@pytest.mark.parametrize(
    "text",
    ["推动高新区发展，推动高新区党建。", "来到高新区。来到高新区。", "近日高新区开会。近日高新区开会。"],
)
def test_verbs_before_the_zone_are_not_its_name(classifier: Classifier, text: str) -> None:
    assert list(zones(classifier, text)) == ["unresolved"]


def test_names_shared_by_zones_need_a_deciding_word(classifier: Classifier) -> None:
    assert list(zones(classifier, "呼和浩特金山高新区党建")) == ["呼和浩特金山高新区"]
    assert list(zones(classifier, "上海的金山高新区党建")) == ["上海金山高新区"]
    assert list(zones(classifier, "医药高新区党建")) == ["unresolved"]
    assert list(zones(classifier, "通化市医药高新区党建")) == ["通化医药高新区"]


def test_district_names_count_beside_the_city_or_the_zone(classifier: Classifier) -> None:
    assert list(zones(classifier, "新市区党员报到。")) == []
    assert list(zones(classifier, "乌鲁木齐新市区党员报到。")) == ["乌鲁木齐高新区"]


def test_a_name_torn_between_two_words_is_not_joined(classifier: Classifier) -> None:
    found = zones(classifier, "通讯员张济南 高新区党工委召开会议。")
    assert all(zone.text == "高新区" and zone.resolved_by != "name" for zone in found.values())


def test_a_damaged_publisher_still_tells_the_zone(classifier: Classifier) -> None:
    for damaged in ("贵阳\ud800日报", "\udfff贵阳日报"):
        assert zones(classifier, "高新区党建", publisher=damaged, outlet=damaged).keys() == {"贵阳高新区"}


def test_a_publisher_may_hold_a_zones_whole_name_but_an_outlets_goes_before(classifier: Classifier) -> None:
    for publisher, name in (
        ("北京中关村科技园区时报", "中关村科技园区"),
        ("中关村科技园区发布", "苏州工业园区"),
    ):
        assert zones(classifier, "园区党建", publisher=publisher).keys() == {name}
