"""Flows given their headlines, leads and stray pieces."""

from __future__ import annotations

from crawler.extract.columns import Block
from crawler.extract.drafts import Draft, drafts_of
from crawler.extract.headlines import Headline, Parts
from crawler.extract.layout import Layout
from crawler.extract.pdf import Frame
from tests.crawler.flows import block, head, line


def drafts(texts: list[Block], titles: list[Headline], pictures: list[Frame] | None = None) -> list[Draft]:
    layout = Layout(texts, titles, (), pictures or [], 10.0)
    return drafts_of(Parts(texts=texts, headlines=titles), layout)


def lead(x: float, y: float, order: int) -> Block:
    return Block(
        [
            line("导语用大一号的字排成两行横", x, y, 12, order),
            line("跨两栏在正文前面说要点。", x, y + 16, 12, order + 30),
        ]
    )


def test_every_headline_serves_one_flow() -> None:
    texts = [block(t, x=100 * i, order=300 * i) for i, t in enumerate(("甲一", "乙一"))]
    titles = [head("左边标题", 0, 60, 22), head("右边标题", 100, 60, 22, order=9000)]
    found = {d.headline.title: d.text[:2] for d in drafts(texts, titles) if d.headline}
    assert found == {"左边标题": "甲一", "右边标题": "乙一"}


def test_a_lead_under_the_headline_stands_before_the_columns() -> None:
    columns = [block(t, x=100 * i, y=160, order=300 * i) for i, t in enumerate(("甲一", "乙一"))]
    (draft,) = drafts([lead(0, 110, 2000), *columns], [head("标题横跨两栏", 0, 80, 26)])
    assert [b.text[:2] for b in draft.blocks] == ["导语", "甲一", "乙一"]


def test_a_lead_over_the_headline_stands_before_the_columns() -> None:
    columns = [block(t, x=100 * i, y=160, order=300 * i) for i, t in enumerate(("甲一", "乙一"))]
    (draft,) = drafts([lead(0, 40, 2000), *columns], [head("标题横跨两栏", 0, 110, 26)])
    assert [b.text[:2] for b in draft.blocks] == ["导语", "甲一", "乙一"]


def test_a_headline_over_a_picture_takes_the_text_below_the_picture() -> None:
    (draft,) = drafts(
        [block("甲一", x=0, y=300, order=0)], [head("图片新闻标题", 0, 60, 13)], [Frame(0, 70, 90, 285)]
    )
    assert draft.headline is not None


def test_a_flow_nobody_claims_stays_without_headline() -> None:
    (draft,) = drafts([block("甲一", x=0, order=0)], [])
    assert draft.headline is None
