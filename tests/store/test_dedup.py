from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.dedup.canonical import MAX_TEXT, fold
from store.dedup.fingerprint import anchors, grams, kept_fingerprints, query_fingerprints
from store.dedup.passages import shared_spans
from store.dedup.placement import Known, has_heading, is_page_title, place
from store.dedup.relations import Copy, named_publisher, outranks, relation
from store.dedup.same_story import Text, compare, is_sequel, number_conflicts, titles_agree

LONG = "".join(chr(0x4E00 + (n * n * 7 + n * 13) % 3000) for n in range(1500))
OTHER = "".join(chr(0x4E00 + (n * n * 11 + n * 5 + 7) % 3000) for n in range(1500))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＡＢＣ，１２３。", "abc123"),
        ("雲澤高新區（黨建）", "云泽高新区党建"),
        ("第 3\n期　党 建", "第3期党建"),
        ("共**名党员，2*.*%，3***万元", "共名党员万元"),
        ("**高新区", "高新区"),
        ("ﬁrst №5 ㎡", "first5m2"),
        ("\ud800\u200b\ufeff好", "好"),
        ("", ""),
    ],
)
def test_folding_drops_what_copies_change(text: str, folded: str) -> None:
    assert fold(text).text == folded


def test_masked_places_are_counted() -> None:
    assert fold("**高新区有***家企业，增长*.*%").masks >= 3
    assert fold("高新区有12家企业").masks == 0
    assert fold("上半部分\n＊＊＊\n下半部分").masks == 0  # a divider, no mask


@given(st.text(max_size=300))
def test_any_text_folds_once_and_for_all(text: str) -> None:
    folded = fold(text).text
    assert fold(folded).text == folded
    folded.encode("utf-16-le")


def test_texts_beyond_all_measure_are_cut() -> None:
    assert len(fold("党" * (MAX_TEXT * 3)).text) == MAX_TEXT


def test_a_copy_has_the_same_fingerprints_and_an_excerpt_shares_some() -> None:
    whole = anchors(LONG)
    kept = kept_fingerprints(whole, len(LONG))
    assert 15 <= len(kept) <= 27
    assert kept <= query_fingerprints(whole)
    for start in range(0, 1300, 50):
        assert query_fingerprints(anchors(LONG[start : start + 200])) & kept


def test_fingerprints_fit_a_signed_32_bit_column() -> None:
    assert all(-(2**31) <= value < 2**31 for _, value in anchors(LONG))


def test_grams_are_those_of_the_text() -> None:
    assert len(grams("甲乙丙丁")) == 1
    assert grams("甲乙丙丁戊") == grams("甲乙丙丁") | grams("乙丙丁戊")
    assert grams("甲乙") == set()


def test_a_text_is_the_same_as_itself_and_different_from_another() -> None:
    assert compare(Text("", LONG), Text("", LONG)).kind == "same"
    assert compare(Text("", LONG), Text("", OTHER)).kind == "different"
    assert compare(Text("", ""), Text("", LONG)).kind == "different"


@given(st.integers(0, 1400), st.integers(1, 700))
def test_comparing_is_symmetric(start: int, length: int) -> None:
    a, b = Text("甲", LONG[start : start + length]), Text("乙", LONG[:500] + OTHER[:200])
    there, back = compare(a, b), compare(b, a)
    assert (there.kind, there.score, there.of_a) == (back.kind, back.score, back.of_b)


def test_only_corrected_figures_make_no_other_story() -> None:
    told = "全区新建支部{}个，培训书记{}名，走访企业{}家，解决难题{}个。" + LONG[:300]
    old, new = Text("标题", told.format(12, 45, 78, 96)), Text("标题", told.format(12, 46, 78, 96))
    assert compare(old, new).kind == "same"
    assert number_conflicts(old, new) == (1, 4)


def test_all_figures_differing_make_a_sibling() -> None:
    told = (
        "工业增加值增长{}%，投资增长{}%，新签项目{}个，总投资{}亿元，企业{}家，党员{}名，覆盖率{}%。" * 1
        + LONG[:100]
    )
    a, b = (Text("经济运行情况", told.format(*range(n, n + 7))) for n in (10, 60))
    verdict = compare(a, b)
    assert (verdict.kind, verdict.vetoed) == ("related", True)


def test_headlines() -> None:
    assert titles_agree("云泽高新区开展走访", "要闻云泽高新区开展走访")
    assert not titles_agree("编者的话", "编者的话")  # says nothing
    assert not titles_agree("云泽高新区开展走访", "云泽高新区开展走访后续")
    assert is_sequel("云泽高新区开展走访后续", "云泽高新区开展走访")
    assert not is_sequel("云泽高新区开展走访", "云泽高新区开展走访")
    assert is_page_title("第03版要闻")
    assert not is_page_title("第三届技能大赛开幕")


def test_a_heading_counts_only_right_before_its_article() -> None:
    page = Text("头条", LONG[:400] + "\n码头上的支部\n" + OTHER[:400])
    assert has_heading(page, "码头上的支部", Text("码头上的支部", OTHER[:400]))
    assert not has_heading(page, "码头上的支部", Text("码头上的支部", LONG[:400]))


def _known(number: int, story: int, text: Text, *, page: bool = False) -> Known:
    return Known(number, story, text, page=page)


def test_an_original_unites_the_stories_of_its_excerpts() -> None:
    known = [_known(1, 1, Text("码头上的支部", LONG[:500])), _known(2, 2, Text("码头上的支部", LONG[900:]))]
    placement = place(Text("码头上的支部", LONG), known, lambda _: ["码头上的支部"])
    assert placement.best is not None
    assert {placement.best.known.story_id, *placement.unite} == {1, 2}


def test_a_page_of_two_articles_unites_nothing() -> None:
    heads = {1: ["码头上的支部"], 2: ["巴士上的驿站"]}
    known = [_known(1, 1, Text(heads[1][0], LONG)), _known(2, 2, Text(heads[2][0], OTHER))]
    page = Text(heads[1][0], f"{LONG}\n{heads[2][0]}\n{OTHER}")
    placement = place(page, known, heads.__getitem__)
    assert placement.best is not None
    assert placement.page
    assert placement.unite == []
    assert {placement.best.known.story_id, *placement.also} == {1, 2}


def test_a_page_does_not_draw_the_articles_it_holds() -> None:
    page = Text("头条", f"{LONG}\n巴士上的驿站\n{OTHER}")
    placement = place(Text("巴士上的驿站", OTHER), [_known(1, 1, page)], lambda _: ["头条"])
    assert placement.best is None
    assert [known.article_id for known in placement.held_by] == [1]


def test_a_story_split_off_by_hand_is_no_choice() -> None:
    placement = place(Text("甲", LONG), [_known(1, 7, Text("甲", LONG))], lambda _: [], apart=frozenset({7}))
    assert placement.best is None


DAY = datetime(2026, 11, 20, tzinfo=UTC)


def test_the_unmasked_the_whole_the_clean_and_the_earlier_is_the_original() -> None:
    whole, early = Text("甲", LONG + "共有12名"), datetime(2026, 11, 1, tzinfo=UTC)
    masked, part = Text("甲", LONG + "共有**名"), Text("甲", LONG[:700])
    clean = Copy(whole, DAY)
    for other in (Copy(masked, early), Copy(part, early), Copy(whole, DAY, page=True)):
        assert outranks(clean, other, compare(whole, other.text))
        assert not outranks(other, clean, compare(other.text, whole))
    furnished = Text("甲", "首页\n字号\n分享到\n" + LONG + "\n版权声明 扫一扫")
    assert outranks(clean, Copy(furnished, early), compare(whole, furnished))
    assert outranks(Copy(whole, early), clean, compare(whole, whole))


def test_relations_have_their_words() -> None:
    whole, part, masked = Text("甲", LONG + "共有12名"), Text("甲", LONG[:700]), Text("甲", LONG + "共有**名")
    assert relation(part, whole, compare(part, whole), page=False) == "excerpt"
    assert relation(masked, whole, compare(masked, whole), page=False) == "anonymised"
    assert relation(whole, whole, compare(whole, whole), page=False) == "reprint"
    assert relation(whole, part, compare(whole, part), page=True) == "contains"


@pytest.mark.parametrize(
    ("text", "publisher"),
    [
        ("来源：马鞍山日报2022-07-08 10:27", "马鞍山日报"),
        ("2022-07-08 来源: 云泽发布 作者：某某", "云泽发布"),
        ("正文里说能源来源：太阳", "太阳"),
        ("没有这一行", None),
    ],
)
def test_the_publisher_of_a_source_line(text: str, publisher: str | None) -> None:
    assert named_publisher(text) == publisher


def test_shared_passages_are_places_in_the_written_text() -> None:
    a, b = "前言。" + LONG[:50] + "，完", "別的開頭！" + LONG[:30] + "。" + OTHER[:40]
    mine, theirs = shared_spans(a, b)
    assert [a[slice(*span)] for span in mine] == [LONG[:30]]
    assert [b[slice(*span)] for span in theirs] == [LONG[:30]]


@pytest.mark.parametrize("sign", ["党", "*", "1", "*1", "来源：", " \n", "1月"])
def test_a_megabyte_of_anything_is_compared_in_linear_time(sign: str) -> None:
    text = sign * (1_000_000 // len(sign))
    begin = time.process_time()
    a, b = Text(text[:100], text), Text("", "党1*月来源" * 100_000)
    compare(a, b)
    a.kept()
    _ = a.wanted
    named_publisher(text)
    assert time.process_time() - begin < 2


@given(st.text(st.characters(codec=None), max_size=700))
def test_anchors_are_the_4_grams_that_leave_a_low_residue_as_one_number(text: str) -> None:
    units = text.encode("utf-16-le", "surrogatepass")
    residues = 4 if len(text) <= 600 else 1
    places = [
        start // 2
        for start in range(0, len(units) - 11, 2)
        if int.from_bytes(units[start : start + 8], "little") % 17 < residues
    ]
    assert [place for place, _ in anchors(text)] == places


def test_zones_of_a_text_are_looked_up_when_a_headline_makes_them_count_and_then_once() -> None:
    asked = []

    def look() -> list[str]:
        asked.append("zones")
        return ["宝鸡高新区"]

    silent = Text("党建工作推进会召开", LONG).with_zones(look)
    assert compare(Text("别的标题六个字", OTHER), silent).kind == "different"
    assert asked == []
    told = Text("成都高新区党建工作推进会", LONG[:1100] + OTHER[:400])
    compare(told, silent)
    assert "zones differ" in compare(told, silent).reason
    assert asked == ["zones"]
