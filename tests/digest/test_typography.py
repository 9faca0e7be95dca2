from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.typography import folded, repair, repair_title, sentences

ALPHABET = st.text(st.sampled_from("党建高新区，。“”‘’《》（）()\"'.,;:!?…— \n1234%Ab·*"), max_size=60)


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("党 建 引领,聚力 发展.", "党建引领，聚力发展。"),
        ("2026 年 11月,共3,000人(详见 附件)", "2026年11月，共3,000人（详见附件）"),
        ("10:27开会:地点 A座", "10:27开会：地点A座"),
        ('他说:"好"。', "他说：“好”。"),
        ("《红色引擎", "红色引擎"),
        ("见（附件", "见附件"),
        ("”开头的引号", "开头的引号"),
        ("高新区...好", "高新区……好"),
        ("高新区⋯⋯好", "高新区……好"),
        ("党建--引领", "党建——引领"),
        ("Hello, world (ok) it’s fine.", "Hello, world (ok) it’s fine."),
        ("覆盖率９５％", "覆盖率95%"),
        ("（一)党建", "（一）党建"),
        ("", ""),
    ],
)
def test_repair_sets_text_as_an_editor_would(given_text: str, wanted: str) -> None:
    assert repair(given_text) == wanted


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("党建引领强动力 高质量发展有保障", "党建引领强动力 高质量发展有保障"),
        ("党建引领强动力　　高质量发展有保障", "党建引领强动力 高质量发展有保障"),
        ("党 建 引 领 园区发展", "党建引领园区发展"),
        ("2026 年党建工作会 AI 赋能", "2026年党建工作会AI赋能"),
        ("“红帆领航 链通高新”见实效", "“红帆领航 链通高新”见实效"),
        ("慈湖高新区:党建引领(试行", "慈湖高新区：党建引领试行"),
        ("", ""),
    ],
)
def test_a_headline_keeps_the_blank_between_its_clauses(title: str, wanted: str) -> None:
    assert repair_title(title) == wanted
    assert repair_title(wanted) == wanted


@given(ALPHABET)
@example('" 1党')
@example('党a " b')
def test_repair_changes_no_letter_or_digit_and_is_stable(text: str) -> None:
    once = repair(text)
    assert folded(once) == folded(text)
    assert repair(once) == once


@given(ALPHABET)
def test_brackets_and_quotation_marks_are_paired(text: str) -> None:
    repaired = repair(text)
    for opening, closing in ("（）", "《》", "“”"):
        assert repaired.count(opening) == repaired.count(closing)


def test_a_quotation_does_not_split_a_sentence() -> None:
    text = "他说：“要抓党建。要抓实。”大家鼓掌。\n第二段！没有句号"
    assert sentences(text) == ["他说：“要抓党建。要抓实。”", "大家鼓掌。", "第二段！", "没有句号"]


def test_a_lost_quotation_mark_does_not_swallow_the_text() -> None:
    assert len(sentences("“开头没有收尾。" + "党建工作有序推进。" * 80)) > 20


@settings(deadline=None)
@given(st.text(max_size=200))
def test_sentences_lose_nothing_but_blanks(text: str) -> None:
    def letters(value: str) -> str:
        return normalize("NFC", "".join(value.split()))

    assert letters("".join(sentences(text))) == letters(text)
