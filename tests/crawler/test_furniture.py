"""Head and foot of a page, bylines, adverts, notices."""

from __future__ import annotations

import pytest

from crawler.extract.furniture import (
    authors_of,
    ends_article,
    is_advert,
    is_byline,
    is_credit,
    is_notice,
    starts_article,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("■ 王明华", ["王明华"]),
        ("▶ 王明华 文/图", ["王明华"]),
        ("本报记者 李思远 通讯员 赵雨 陈春梅", ["李思远", "赵雨", "陈春梅"]),
        ("青岚日报记者 李思远 见习记者 赵雨/文 受访者供图", ["李思远", "赵雨"]),
        ("王明华 文/摄", ["王明华"]),
    ],
)
def test_bylines_are_known_and_give_names(text: str, names: list[str]) -> None:
    assert is_byline(text)
    assert authors_of(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "高新区记者节慰问活动昨日举行，气氛热烈",
        "青岚日报通讯员 王明华 摄",
        "支部建在产业链上",
        "记者从市政府新闻办公室了解到的情况是",
        "记者来到生产车间看到难题迎刃而解。",
    ],
)
def test_other_lines_are_no_bylines(text: str) -> None:
    assert not is_byline(text)


def test_names_come_out_of_datelines() -> None:
    assert authors_of("本报讯（青岚日报通讯员 王明华 李思远）“我们把车间") == ["王明华", "李思远"]
    assert authors_of("本报讯 青岚日报记者王明报道 昨日") == ["王明"]


def test_starts_and_ends_of_articles_are_seen() -> None:
    assert starts_article("本报讯（记者 王明）近日")
    assert starts_article("新华社北京7月14日电 记者")
    assert not starts_article("近日，本报讯息部")
    assert ends_article("难题迎刃而解。（王明华 李思远）")
    assert not ends_article("投入262万元改造河道（一期）。")


def test_picture_credits_are_no_bylines() -> None:
    assert is_credit("王明华 摄")
    assert is_credit("受访者供图")


def test_adverts_sell_and_news_do_not() -> None:
    assert is_advert("云溪商贸城盛大开业 全场特价 竭诚欢迎您 电话：0571-6234567 地址：云溪路8号", boxed=True)
    news = "近日，云溪高新区招商专班走访企业，了解招商和优惠政策，扫码即可咨询，协调解决用地难题。" * 6
    assert not is_advert(news[:120], boxed=True)


def test_notices_are_told_by_title_or_wording() -> None:
    assert is_notice("公告栏", "遗失声明：某商行遗失营业执照副本，声明作废。")
    assert is_notice("", "某公司拟注销，已成立清算组，请债权人申报债权，特此公告。")
    assert not is_notice("高新区智慧园区项目启动招标", "近日，高新区智慧园区项目启动招标，总投资三亿元。" * 4)
    assert not is_notice(
        "高新区发布公告", "近日，高新区发布公告，企业可以申报新一批技术改造项目，流程比往年更短。" * 9
    )
    assert not is_notice("高新区发布人才公寓消息", "近日，高新区发布消息，新建人才公寓已交付使用。" * 9)
