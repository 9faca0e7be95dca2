from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.names import load_names
from digest.story import NO_TITLE, TITLE_LIMIT, story_content, web_link
from store.config import Config
from store.issues import Candidate, Copy, Earlier, EditorAct, Tag

AT = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
MAIN = Copy(
    1,
    "党群服务中心开放",
    "合肥高新区党群服务站增至35个。“红帆领航”品牌持续擦亮。",
    "https://a.example.cn/1",
    "合肥样报",
    "样报网",
    AT,
    AT,
    "original",
    {
        "figures": [
            {"number": "35", "unit": "个", "what": "党群服务站", "text": "35个"},
            {"number": "99", "unit": "家", "what": "不在文中的数", "text": "99家"},
            {"number": "35", "unit": "%", "what": "", "text": "35%"},
        ],
        "practices": [{"name": "红帆领航"}, {"name": "文中没有的品牌"}],
    },
    (),
    (Tag("zone", "合肥高新区", "actor"), Tag("zone", "西安高新区", "mention"), Tag("theme", "venue", None)),
)
ONE = Candidate(7, MAIN.title, "合肥样报", AT, AT, 0.9, (MAIN,), None)


def content(candidate: Candidate = ONE, *acts: EditorAct) -> dict[str, object]:
    return story_content(candidate, acts, Config(), load_names(Config()))


def act(kind: str, value: str) -> EditorAct:
    return EditorAct(1, 7, kind, value, "", "编", AT, None)


def test_it_tells_what_the_article_tells() -> None:
    told = content()
    assert told["zones"] == [{"name": "合肥高新区", "province": "安徽"}]
    assert told["figures"] == ["党群服务站35个"]
    assert told["practices"] == ["“红帆领航”"]
    assert (told["publisher"], told["date"], told["seen"]) == ("合肥样报", "2026-11-21", "2026-11-21")


def test_reprints_are_one_an_outlet_and_never_the_first_again() -> None:
    copies = tuple(
        replace(MAIN, article_id=n, site=site, publisher="合肥样报", url=f"https://{n}.example.cn/")
        for n, site in enumerate(["乙网", "乙网", "样报网", "丙网", ""], 2)
    )
    told = content(replace(ONE, copies=(MAIN, *copies)))
    assert [copy["publisher"] for copy in told["reprints"]] == ["乙网", "丙网", "6.example.cn"]  # type: ignore[attr-defined]
    assert told["outlets"] == ["合肥样报", "乙网", "丙网", "6.example.cn"]


def test_an_anonymised_representative_takes_zone_and_theme_from_another_copy() -> None:
    masked = replace(MAIN, tags=())
    assert content(replace(ONE, copies=(masked, MAIN)))["zones"] == [
        {"name": "合肥高新区", "province": "安徽"}
    ]


def test_a_story_without_anything_is_still_a_story() -> None:
    bare = replace(
        MAIN, title="", text="", url="javascript:alert(1)", publisher="", site="", published_at=None, tags=()
    )
    told = content(
        replace(ONE, title="", publisher="", published_at=None, copies=(replace(bare, classification={}),))
    )
    assert (told["title"], told["summary"], told["url"], told["publisher"], told["date"]) == (
        NO_TITLE,
        "",
        "",
        "",
        "",
    )
    assert (told["zones"], told["themes"], told["outlets"], told["reprints"]) == ([], [], [], [])


@pytest.mark.parametrize(
    "broken", [None, 7, "35个", [1, None, {"x": 1}, {"what": [], "number": 3}, ["a"]], {"a": 1}]
)
def test_odd_classifications_are_harmless(broken: object) -> None:
    odd = replace(MAIN, classification={"figures": broken, "practices": broken})
    assert content(replace(ONE, copies=(odd,)))["figures"] == []


def test_a_title_of_300_characters_is_cut_with_a_sign() -> None:
    told = str(content(replace(ONE, copies=(replace(MAIN, title="“长标题" * 100),)))["title"])
    assert len(told) <= TITLE_LIMIT
    assert told.endswith("……")
    assert "“" not in told


def test_the_editors_words_come_before_the_machines() -> None:
    told = content(
        ONE, act("retitle", "旧"), act("retitle", "新标题"), act("summary", "新摘要。"), act("note", "按。")
    )
    assert (told["title"], told["summary"], told["summary_by"], told["note"]) == (
        "新标题",
        "新摘要。",
        "editor",
        "按。",
    )


def test_a_follow_up_names_its_issue() -> None:
    earlier = Earlier(3, "前情", 45, 2026, 45)
    assert content(replace(ONE, earlier=earlier))["follow_up"] == {
        "story_id": 3,
        "title": "前情",
        "number": 45,
        "label": "2026年第45期",
    }


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://a.example/1", "https://a.example/1"),
        ("http://a.example", "http://a.example"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//a.example/", ""),
        ("https://", ""),
        ("http://[::1", ""),
        ("https://a.example/ x", ""),
        ("", ""),
    ],
)
def test_only_web_addresses_are_links(address: str, wanted: str) -> None:
    assert web_link(address) == wanted


def test_the_day_is_the_offices() -> None:
    late = replace(ONE, published_at=AT.replace(hour=15, minute=59))
    assert content(late)["date"] == "2026-11-20"
    assert content(replace(ONE, published_at=AT + timedelta(hours=1)))["date"] == "2026-11-21"
