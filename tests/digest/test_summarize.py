import gzip
import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sample import sample_issue
from digest.summarize import named, summarize
from digest.typography import folded, sentences

ZONE = "合肥高新区"
TEXT = (
    "本报讯（记者 张三 通讯员 李四）近年来，不少地方都在探索。\n"
    "11月18日，该区党工委召开两新党建推进会，42名党员干部与企业结对，收集问题10件。\n"
    "“大家都很满意。”一位企业负责人说。\n"
    "此外，天气晴朗，风景如画，游人如织，十分热闹。\n"
    "责任编辑：王五"
)


def numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", normalize("NFKC", text)))


def test_it_says_who_did_what_with_which_figure() -> None:
    summary = summarize("高新区党工委召开两新党建推进会", TEXT, [ZONE])
    assert "11月18日，合肥高新区党工委召开两新党建推进会，42名党员干部与企业结对，收集问题10件。" in summary
    assert "责任编辑" not in summary
    assert "记者" not in summary


@pytest.mark.parametrize("limit", [20, 60, 120])
def test_it_keeps_whole_sentences_within_the_limit(limit: int) -> None:
    summary = summarize("两新党建", TEXT * 3, [ZONE], limit)
    assert len(summary) <= limit
    assert not summary or summary[-1] in "。！？…”）"


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("该区建成驿站。", "合肥高新区建成驿站。"),
        ("在我区召开。", "在合肥高新区召开。"),
        ("高新区召开会议。", "合肥高新区召开会议。"),
        ("近日，高新区党工委召开会议。", "近日，合肥高新区党工委召开会议。"),
        ("西安高新区召开会议。", "西安高新区召开会议。"),
        ("**高新区召开会议。", "**高新区召开会议。"),
        ("培育高新区技术企业12家。", "培育高新区技术企业12家。"),
        ("合肥高新区说，该区很好。", "合肥高新区说，该区很好。"),
    ],
)
def test_anaphora_gives_way_to_the_one_acting_zone(sentence: str, wanted: str) -> None:
    assert named(sentence, [ZONE]) == wanted


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("西安高新区率先探索。", "该区建成驿站。"),
        ("", "西安高新区率先探索，该区建成驿站。"),
        ("", "与西安高新区结对，我区派出党员。"),
        ("", "苏州工业园区来访，高新区召开座谈会。"),
    ],
)
def test_a_word_that_may_mean_another_zone_stays(before: str, sentence: str) -> None:
    assert named(sentence, [ZONE], before) == sentence


def test_the_zones_shorter_name_is_no_other_zone() -> None:
    assert (
        named("慈湖高新区表示，该区建成驿站。", ["马鞍山慈湖高新区"])
        == "慈湖高新区表示，马鞍山慈湖高新区建成驿站。"
    )


def test_with_two_acting_zones_or_none_nothing_is_replaced() -> None:
    assert named("该区建成驿站。", [ZONE, "西安高新区"]) == "该区建成驿站。"
    assert named("该区建成驿站。", []) == "该区建成驿站。"


@pytest.mark.parametrize(
    "text", ["", "。", "短。", "没有句号的一行", "长" * 500 + "。", "a" * 5000, "\ud800\x00" * 50]
)
def test_a_text_without_a_fitting_sentence_gives_none(text: str) -> None:
    assert summarize("标题", text, [ZONE]) == ""


def assert_grounded(summary: str, text: str, zones: list[str]) -> None:
    """Every sentence stands in the text, but for a zone's name in place of 该区 and its kin."""
    source = folded(text)
    for sentence in sentences(summary):
        written = folded(sentence)
        words = ["该高新区", "我高新区", "该区", "我区", "该园区", "我园区", "高新区"]
        spellings = [written, *(written.replace(zone, word, 1) for zone in zones[:1] for word in words)]
        assert any(spelling in source for spelling in spellings), sentence
    assert numbers(summary) <= numbers(text) | numbers(" ".join(zones))


def test_nothing_is_said_that_the_article_does_not_say() -> None:
    random = Random(7)
    pieces = [
        "该区",
        "高新区",
        "我区",
        "党工委",
        "召开",
        "建成",
        "驿站",
        "35个",
        "12.5%",
        "，",
        "，",
        "。",
        "\n",
        "“星火”",
        "（",
        "企业",
        "3 名",
    ]
    for _ in range(1500):
        text = "".join(random.choices(pieces, k=random.randrange(5, 120)))
        zones = random.choice([[], [ZONE], [ZONE, "西安高新区"]])
        summary = summarize("高新区建成驿站", text, zones)
        assert len(summary) <= 120
        assert_grounded(summary, text, zones)


def test_the_sample_issues_summaries_are_grounded() -> None:
    for story in sample_issue(stories=60).stories:
        assert story.content["summary"], story.content["title"]
        assert len(story.content["summary"]) <= 120


@given(st.text(max_size=400), st.text(max_size=40))
def test_any_text_is_taken(text: str, title: str) -> None:
    assert len(summarize(title, text, [ZONE])) <= 120


def test_a_sentence_that_is_too_long_is_cut_between_clauses_and_says_so() -> None:
    clause = "合肥高新区党工委召开两新党建推进会"
    assert summarize("会议", "，".join([clause] * 20) + "。", [ZONE], 60) == f"{clause}，{clause}，{clause}……"


def test_a_huge_text_takes_no_longer_than_its_beginning() -> None:
    start = perf_counter()
    summarize("标题", "（" * 5_000_000, [ZONE])
    summarize("标题", "本报" * 2_500_000, [ZONE])
    assert perf_counter() - start < 2


def real_articles(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Titles, texts and acting zones of every real article there is: labelled ones, pages, stories."""
    for line in (folder / "relevance" / "dev.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        yield item["title_guess"] or "", item.get("text") or "", [z.rstrip("*") for z in item["zones"] or []]
    for item in json.loads((folder / "html" / "gold.json").read_text(encoding="utf-8")):
        yield item["title"] or "", item["body_text"] or "", [ZONE]
    with gzip.open(folder / "stories" / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, 8):
            item = json.loads(line)
            yield item.get("title") or "", item.get("text") or "", [ZONE]


@pytest.mark.real
def test_summaries_of_real_articles_are_grounded(shared_data: Path) -> None:
    told = articles = 0
    for title, text, zones in real_articles(shared_data):
        summary = summarize(title, text, zones)
        assert len(summary) <= 120
        assert_grounded(summary, text, zones)
        articles += len(text) > 200
        told += bool(summary)
    assert told > 0.95 * articles
