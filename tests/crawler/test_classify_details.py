from __future__ import annotations

import pytest

from crawler.classify.figures import find_figures
from crawler.classify.folding import fold, fold_page
from crawler.classify.organisations import find_organisations
from crawler.classify.practices import find_practices


@pytest.mark.parametrize(
    ("text", "number", "unit", "what"),
    [
        ("建立党群服务站35个。", "35", "个", "党群服务站"),
        ("选派94名党建指导员。", "94", "名", "党建指导员"),
        ("累计解决困难50多个。", "50", "多个", "困难"),
        ("发展党员1,280名", "1,280", "名", "党员"),
        ("投入3.2亿元。", "3.2亿", "元", "投入"),
        ("覆盖率达92%，", "92", "%", "覆盖率"),
        ("举办专题党课148场次", "148", "场次", "专题党课"),
    ],
)
def test_a_figure_has_number_unit_and_what_it_counts(text: str, number: str, unit: str, what: str) -> None:
    (figure,) = find_figures(text)
    assert (figure.number, figure.unit, figure.what) == (number, unit, what)
    assert text[figure.start : figure.end] == figure.text


@pytest.mark.parametrize(
    "text", ["2024年5月", "今年68岁", "第14届", "电话0752-3278024", "12:30", "A4纸", "第3期", ""]
)
def test_dates_ages_and_codes_are_no_figures(text: str) -> None:
    assert find_figures(text) == []


def test_figures_are_limited() -> None:
    assert len(find_figures("党员5名，" * 500)) == 60


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("创新“三学五微四联”举措", "三学五微四联"),
        ("打造“红帆领航·链通高新”品牌", "红帆领航·链通高新"),
        ("推行“党建+物业”模式", "党建+物业"),
        ("实施「红色领航」工程", "红色领航"),
    ],
)
def test_named_practices_are_found_without_their_quotes(text: str, name: str) -> None:
    (practice,) = find_practices(text)
    assert practice.name == name == text[practice.start : practice.end]


@pytest.mark.parametrize(
    "text", ["“你好”，他说。", "开展“两学一做”教育", "《人民日报》", "“" * 100, "会议强调“要抓落实”"]
)
def test_quotations_and_campaigns_of_all_are_no_practices(text: str) -> None:
    assert find_practices(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("近日，济南高新区党工委召开会议", ["济南高新区党工委"]),
        ("由宝鸡韵达快递有限公司党支部承办", ["宝鸡韵达快递有限公司", "宝鸡韵达快递有限公司党支部"]),
        ("党委要求加强建设", []),
        ("3家企业党支部签约", ["企业党支部"]),
        ("企业党组织负责人参加", []),
    ],
)
def test_organisations_have_a_name_before_their_class(text: str, names: list[str]) -> None:
    found = [organisation.name for organisation in find_organisations(text)]
    assert set(names) <= set(found)
    assert bool(names) == bool(found)


def test_folding_leaves_plain_text_alone() -> None:
    folded = fold("济南高新区党建，2024年。")
    assert folded.text == "济南高新区党建，2024年。"
    assert folded.cuts == ()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("黨建區", "党建区"),
        ("高（xīn）新(qū)区", "高新区"),
        ("高 新\n区", "高新区"),
        ("高\u200b新\u00ad区", "高新区"),
        ("１２ＡＢ", "12AB"),
        ("党建<b>高新区", "党建高新区"),
        ("one two", "one two"),
        ("第一段。\n第二段", "第一段。\n第二段"),
        ("致电(a b)", "致电(a b)"),
    ],
)
def test_noise_inside_words_is_left_out(given: str, text: str) -> None:
    assert fold(given).text == text


def test_every_folded_character_knows_where_it_stood() -> None:
    given = "鄭州高(gāo)新\n區(qū)黨 建"
    folded = fold(given)
    assert folded.text == "郑州高新区党建"
    assert [given[folded.original(index)] for index in range(len(folded.text))] == list("鄭州高新區黨建")


def test_a_page_keeps_title_and_text_apart() -> None:
    page = fold_page("高新区", "党建")
    assert page.place(0, 3) == ("title", 0, 3, "高新区")
    assert page.place(4, 6) == ("text", 0, 2, "党建")
