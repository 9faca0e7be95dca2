"""Blocks linked to flows by sentences, places, headlines and the stream."""

from __future__ import annotations

from crawler.extract.chains import chains_of
from crawler.extract.columns import Block
from crawler.extract.headlines import Headline
from crawler.extract.layout import Layout
from crawler.extract.links import link_score
from tests.crawler.flows import block, head


def flows(blocks: list[Block], headlines: list[Headline]) -> list[list[str]]:
    layout = Layout(blocks, headlines, body=10.0)
    return sorted([b.text[:2] for b in chain] for chain in chains_of(layout))


def test_an_unfinished_sentence_meets_the_column_that_begins_without_indent() -> None:
    a = block("甲一", x=0, order=0, ends="半")
    b = block("乙一", x=200, order=900, indent=False)
    c = block("丙一", x=100, order=400, indent=True)
    layout = Layout([a, b, c], [], body=10.0)
    assert link_score(a, b, layout) > link_score(a, c, layout)


def test_columns_under_one_headline_are_one_flow() -> None:
    blocks = [block(t, x=100 * i, order=300 * i) for i, t in enumerate(("甲一", "乙一", "丙一"))]
    assert flows(blocks, [head("一个标题横跨三栏的样子", 0, 60, 26)]) == [["甲一", "乙一", "丙一"]]


def test_neighbouring_articles_under_two_headlines_stay_apart() -> None:
    blocks = [block(t, x=100 * i, order=300 * i) for i, t in enumerate(("甲一", "乙一"))]
    titles = [head("左边标题", 0, 60, 22), head("右边标题", 100, 60, 22, order=9000)]
    assert flows(blocks, titles) == [["乙一"], ["甲一"]]


def test_a_dateline_never_continues_a_text() -> None:
    a, b = block("甲一", x=0, order=0), block("本报讯近日", x=100, order=300)
    assert flows([a, b], [head("标题横跨两栏而已", 0, 60, 22)]) == [["本报"], ["甲一"]]


def test_every_block_is_in_exactly_one_flow() -> None:
    blocks = [block(f"文{i}", x=100 * (i % 4), y=100 + 220 * (i // 4), order=300 * i) for i in range(12)]
    chains = chains_of(Layout(blocks, [], body=10.0))
    assert sorted(b.order for chain in chains for b in chain) == [300 * i for i in range(12)]


def test_a_stream_that_contradicts_the_sentences_is_not_trusted() -> None:
    good = [block(f"文{i}", x=100 * i, order=300 * i, ends="半", indent=i == 0) for i in range(4)]
    bad = [
        block(f"文{i}", x=100 * i, order=300 * ((i * 3) % 4), ends="半", indent=i % 2 == 0) for i in range(4)
    ]
    assert Layout(good, [], body=10.0).reliability > 0.9
    assert Layout(bad, [], body=10.0).reliability < 0.5
