"""Torn newspaper text, rule by rule."""

from __future__ import annotations

import pytest

from crawler.extract.torn_articles import overlap, zones_in
from crawler.extract.torn_headlines import rebuild
from crawler.extract.torn_lines import (
    Kind,
    Line,
    is_label,
    names_of,
    read_lines,
    repair_headline,
    repair_spaces,
)
from crawler.pages.torn import TornText, looks_like_newspaper, title_from_text

LONG = "今年以来,涪陵高新区把党的组织建在产业链上,推动党员先锋作用发挥在关键环节,各项工作取得新进展。"
MORE = "涪陵高新区组建党员服务队,走访企业一百六十家,协调解决用工、融资、用能等方面的问题九十余件。"
OTHER = "近日,泉南高新区举办产业链技能竞赛,来自二十八家企业的二百六十名选手同台竞技,以赛促学、以赛促练。"


def kinds(text: str) -> list[str]:
    return [line.kind.value for line in read_lines(text)]


def titles(*lines: str) -> list[str]:
    return [item.title for item in TornText("\n\n".join(lines)).to_items()]


@pytest.mark.parametrize(
    ("torn", "whole"),
    [
        ("推动服 务创新", "推动服务创新"),
        ("实现营收3.23 亿元", "实现营收3.23亿元"),
        ("电话: 0752", "电话:0752"),
        ("Galaxy S20 手机", "Galaxy S20手机"),
        ("“氢电拖1” 成功", "“氢电拖1”成功"),
    ],
)
def test_spaces_that_tearing_left_are_closed(torn: str, whole: str) -> None:
    assert repair_spaces(torn) == whole


@pytest.mark.parametrize(
    ("torn", "whole"),
    [
        ("党建引领强动力 高质量发展有保障", "党建引领强动力 高质量发展有保障"),
        ("涪陵高新区 以『红色管家』赋能城市管理工作", "涪陵高新区以『红色管家』赋能城市管理工作"),
        ("涪陵高新区: 获评优秀", "涪陵高新区:获评优秀"),
    ],
)
def test_a_space_between_clauses_of_a_headline_stays(torn: str, whole: str) -> None:
    assert repair_headline(torn) == whole


@pytest.mark.parametrize(
    "line",
    [
        "图为党员服务队走访企业。",
        "右图:7月10日,涪陵高新区开展义诊活动。",
        "图片来源:涪陵示范区",
        "技术人员在车间讨论工艺。 周安 摄",
        "周安 摄",
        "图①:党群服务中心一角",
    ],
)
def test_captions_and_credits_are_known(line: str) -> None:
    assert kinds(f"{LONG}\n\n{line}\n\n{MORE}")[1] == "caption"


@pytest.mark.parametrize(
    "line",
    [
        "A4",
        "第3版",
        "A4 党建",
        "责任编辑:周安 版式:林丽",
        "2025年7月15日 星期二",
        "下转A8版",
        "新闻热线:010-1234567",
    ],
)
def test_page_furniture_is_known(line: str) -> None:
    assert kinds(f"{LONG}\n\n{line}\n\n{MORE}")[1] == "furniture"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("▶ 吴思远", "吴思远"),
        ("□ 本报记者 周安 通讯员 林丽", "周安 林丽"),
        ("本报记者 高文博", "高文博"),
        ("■文/周安", "周安"),
    ],
)
def test_bylines_are_known_with_their_names(line: str, names: str) -> None:
    byline = read_lines(f"涪陵高新区党建引领促发展\n\n{line}\n\n{LONG}")[1]
    assert (byline.kind, byline.names) == (Kind.BYLINE, names)


def test_a_bare_name_below_a_headline_is_a_byline() -> None:
    assert kinds(f"涪陵高新区党建引领促发展\n\n高文博\n\n{LONG}") == ["heading", "byline", "body"]


def test_names_lose_marks_and_roles_but_no_characters() -> None:
    assert names_of("(特约通讯员 高文博 记者 文静)") == "高文博 文静"
    assert names_of("▶") is None


@pytest.mark.parametrize(
    ("text", "label"), [("党建在高新", True), ("园区动态", True), ("党建引领促治理", False)]
)
def test_labels_of_sections_are_no_headlines(text: str, label: bool) -> None:
    assert is_label(text) is label


def test_zones_are_told_by_the_end_of_their_place_name() -> None:
    assert zones_in("涪陵高新区与石家庄高新区签约,该高新区和国家高新区") == ["涪陵", "家庄"]
    assert overlap("涪陵高新区", {"涪陵", "陵高", "高新", "新区"}) == 1.0


def test_a_sentence_torn_by_captions_is_joined() -> None:
    cut = LONG.index("推动")
    (item,) = TornText(
        "\n\n".join(["涪陵高新区党建引领促发展", LONG[:cut], "左图:党员服务队走访企业。", LONG[cut:], MORE])
    ).to_items()
    assert item.text == f"{LONG}\n{MORE}"


def test_a_change_of_zone_after_a_picture_begins_an_article() -> None:
    items = TornText(
        "\n\n".join(
            [
                "涪陵高新区党建引领促发展",
                LONG,
                MORE,
                "图片来源:泉南高新区",
                OTHER + MORE.replace("涪陵", "泉南"),
            ]
        )
    ).to_items()
    assert [item.text[:2] for item in items] == ["今年", "近日"]
    assert items[1].flags == ["title_from_text"]


def test_a_headline_torn_into_its_own_body_is_put_together() -> None:
    first = ["涪陵高新区党建引领促发展", "▶ 吴思远", LONG, MORE]
    second = [
        "本报讯 " + OTHER,
        "泉南高新区 以技能竞赛促学促",
        "练",
        "竞赛已连续举办五年,泉南高新区累计培养技能竞赛骨干三百余名。",
    ]
    assert titles(*first, *second) == ["涪陵高新区党建引领促发展", "泉南高新区以技能竞赛促学促练"]


def test_a_zone_that_slipped_behind_comes_to_the_front_and_a_misread_sign_is_put_right() -> None:
    lines = [Line("党建引领泉南高新区", Kind.HEADING, 0), *(Line(c, Kind.FRAGMENT, 1) for c in "双间融合")]
    assert rebuild(lines, "泉南高新区推进双向融合促发展。").title == "泉南高新区党建引领双向融合"


def test_kicker_title_and_subtitle_are_told_apart() -> None:
    lines = [
        Line(text, Kind.HEADING, i)
        for i, text in enumerate(["聚焦主责主业——", "涪陵高新区党建促发展", "——来自一线的报道"])
    ]
    headline = rebuild(lines[:2], LONG)
    assert (headline.kicker, headline.title) == ("聚焦主责主业——", "涪陵高新区党建促发展")
    headline = rebuild(lines[1:], LONG)
    assert (headline.title, headline.subtitle) == ("涪陵高新区党建促发展", "——来自一线的报道")


def test_headlines_below_their_articles_are_put_above() -> None:
    below = [LONG, MORE, "涪陵高新区党员先锋服务企业", OTHER, "泉南高新区技能竞赛同台竞技"]
    assert titles(*below) == ["涪陵高新区党员先锋服务企业", "泉南高新区技能竞赛同台竞技"]


def test_two_articles_joined_on_one_line_are_cut() -> None:
    text = ["涪陵高新区党建引领促发展", LONG, f"{MORE} 本报讯(通讯员 林丽){OTHER}", "泉南高新区技能竞赛开幕"]
    items = TornText("\n\n".join(text)).to_items()
    assert [item.text for item in items] == [f"{LONG}\n{MORE}", OTHER]
    assert items[1].author == "林丽"


def test_printed_lines_become_paragraphs() -> None:
    lines = [text[i : i + 16] for text in (LONG + MORE, MORE + LONG) for i in range(0, len(text), 16)]
    (item,) = TornText("\n".join(["涪陵高新区党建引领促发展", *lines])).to_items()
    assert item.text.replace("\n", "") == LONG + MORE + MORE + LONG


def test_adverts_and_notices_are_no_articles() -> None:
    advert = [
        "广告",
        "涪陵高新区欢迎您",
        "凝心聚力 再谱新篇",
        "电话: 0752-1234567",
        "地址: 涪陵市创新大道1号",
    ]
    assert titles("涪陵高新区党建引领促发展", LONG, MORE, *advert) == ["涪陵高新区党建引领促发展"]
    assert titles("泉南高新区土地使用权拍卖公告", OTHER) == []


def test_an_unfinished_article_is_flagged() -> None:
    (item,) = TornText(f"涪陵高新区党建引领促发展\n\n{LONG}\n\n{MORE[:-5]}").to_items()
    assert item.flags == ["unsure_cut"]
    assert item.confidence < 0.8


def test_one_article_or_a_portal_page_is_no_newspaper_page() -> None:
    article = f"涪陵高新区党建引领促发展\n\n{LONG}\n\n{MORE}"
    assert not looks_like_newspaper(article)
    assert not looks_like_newspaper(f"首页 > 新闻\n\n{article}\n\n本报讯 {OTHER}\n\n本报讯 {OTHER}")
    assert looks_like_newspaper(f"{article}\n\n泉南高新区技能竞赛开幕\n\n本报讯 {OTHER}")


def test_a_title_made_of_text_is_short_and_begins_with_who() -> None:
    assert title_from_text(OTHER) == "泉南高新区举办产业链技能竞赛，来自二十八家企业的二百六十名选手同台竞技"
    assert title_from_text("") == ""
