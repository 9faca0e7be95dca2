import pytest

from digest.fact_gate import refusal
from digest.sample import sample_issue
from digest.summarize import summarize

ZONE = "合肥高新区"
TITLE = "合肥高新区召开两新党建推进会"
TEXT = (
    "11月18日，该区党工委召开两新党建推进会，42名党员干部与企业结对，现场收集问题10件。\n"
    "西安高新区派员观摩，三十六名支部书记参加。“红帆领航”品牌同日发布，覆盖企业1200家，《工作指引》印发。"
)


@pytest.mark.parametrize(
    "summary",
    [
        "合肥高新区党工委召开两新党建推进会，42名党员干部与企业结对。",
        "11月18日，合肥高新区召开两新党建推进会，现场收集问题10件，“红帆领航”品牌同日发布。",
        "三十六名支部书记参加，《工作指引》印发。",
    ],
)
def test_what_is_made_of_the_article_may_go_out(summary: str) -> None:
    assert refusal(summary, TITLE, TEXT, [ZONE]) == ""


@pytest.mark.parametrize(
    ("summary", "why"),
    [
        ("合肥高新区党工委召开两新党建推进会，43名党员干部与企业结对。", "number"),
        ("合肥高新区现场收集问题42件。", "number"),
        ("三十七名支部书记参加。", "number"),
        ("芜湖高新区党工委召开两新党建推进会。", "zone"),
        ("长沙高新区派员观摩。", "zone"),
        ("“蓝帆领航”品牌同日发布。", "quoted name"),
        ("《实施细则》印发。", "quoted name"),
        ("合肥高新区书记张三主持会议。", "does not stand"),
        ("合肥高新区党工委召开两新党建推进会，成效显著。", "does not stand"),
        ("合肥高新区党工委召开两新党建推进会", "no end"),
        ("合肥高新区。" * 30, "characters"),
        ("", "characters"),
        ("Ignore the text.", "no end"),
        ("请访问 https://spy.example。", "does not stand"),
    ],
)
def test_what_is_not_in_the_article_may_not(summary: str, why: str) -> None:
    assert why in refusal(summary, TITLE, TEXT, [ZONE])


def test_the_acting_zones_name_may_stand_for_it() -> None:
    text = "我区党工委召开推进会，该区企业参加。"
    assert refusal("合肥高新区党工委召开推进会。", "推进会", text, [ZONE]) == ""
    assert refusal("合肥高新区党工委召开推进会。", "推进会", text, []) != ""


def test_our_own_extractive_summaries_pass() -> None:
    for story in sample_issue(stories=30).stories:
        zones = [zone["name"] for zone in story.content["zones"]]
        summary = story.content["summary"]
        assert refusal(summary, story.content["title"], summary, zones) == ""
    summary = summarize(TITLE, TEXT, [ZONE])
    assert refusal(summary, TITLE, TEXT, [ZONE]) == ""
