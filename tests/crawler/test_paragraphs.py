"""Blocks in reading order back to paragraphs."""

from __future__ import annotations

from crawler.extract.columns import Block, stack
from crawler.extract.paragraphs import paragraphs_of
from tests.crawler.flows import block, line


def test_a_sentence_runs_on_from_column_to_column() -> None:
    first = block("甲一", x=0, order=0, ends="半")
    second = block("乙一", x=100, order=300, indent=False)
    (only,) = paragraphs_of([first, second])
    assert only.startswith("甲一")
    assert "半乙一" in only


def test_indents_and_subheads_begin_paragraphs() -> None:
    first, second = block("甲一", x=0, order=0), block("乙一", x=100, order=300)
    second.heads = stack([line("小标题", 110, 80, 11, 250)])
    assert [p[:3] for p in paragraphs_of([first, second])] == ["甲一正", "小标题", "乙一正"]


def test_latin_words_keep_a_space_at_the_end_of_a_line() -> None:
    text = Block([line("Open", 0, 100, 10, 0), line("Source", 0, 114, 10, 10)])
    assert paragraphs_of([text]) == ["Open Source"]
