"""What operators read in Chinese: every line our monitors and the watch can say is known."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from crawler.exceptions import NOT_ARTICLE_REASONS, QUARANTINE_REASONS
from crawler.tally import CUT_SHORT
from digest.trouble_words import in_chinese, subject_in_chinese
from scheduler import crawls, monitors
from store import sources, watch

CHINESE = re.compile("[\u4e00-\u9fff]")
#: Words that stay in a Chinese line: commands and names of settings.
STAY = re.compile(r"parknews [a-z]+( --[a-z-]+)?|wall_seconds|\([a-z_]+\)|（[a-z_0-9]+）")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("timeout: http://a.cn/list: took 20 s; since 2026-11-23 08:00", "连接超时（timeout）：http://a.cn/list: took 20 s，2026-11-23 08:00起"),
        ("http_403", "拒绝访问（http_403）"),
        ("http_503: http://a.cn/: HTTP 503", "网站出错（503）：http://a.cn/: HTTP 503"),
        ("the lists led to no article (no_links)", "栏目里没有找到文章（栏目中没有文章链接（no_links））"),
        ("a part of it fails: dns: a.cn", "部分读取失败：域名无法解析（dns）：a.cn"),
        ("18 of the last 20 articles have no date; usually 95%", "最近20篇中有18篇没有日期，通常为95%"),
        ("3 wait since a day, 0 attempt(s): no mail server is configured", "3份已等待一天，尝试0次：没有配置邮件服务器"),
        ("4 of 5 sources are unreachable", "5个来源中有4个无法访问"),
        ("{{ 7 * 7 }} {0}", "{{ 7 * 7 }} {0}"),
        ("451 4.7.1 try again later", "451 4.7.1 try again later"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_line_is_put_into_chinese_and_what_comes_from_outside_stays(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


def rendered(node: ast.expr) -> str:
    """Return a text of the source, its places filled with a number, or with a moment where one is shown."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(rendered, node.values))
    assert isinstance(node, ast.FormattedValue)
    shown = ast.unparse(node.value)
    if "_moment(" in shown:
        return "2026-11-23 08:00"
    if shown == "why" or shown.startswith("FIELD_WORDS"):
        return "articles have no date"
    return "http_403" if "detail" in shown or "evidence" in shown else "7%" if "usual" in shown else "7"


def said(module: ModuleType, name: str, place: int) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            given = node.args[place]
            if isinstance(given, ast.Constant | ast.JoinedStr):
                yield rendered(given)


LINES = [
    *(line.replace("arrivedarticles", "arrived; articles") for line in said(monitors, "Finding", 2)),
    *said(watch, "_raise", 3),
    "the lists led to no article (no_links)",
    *watch.FIELD_WORDS.values(),
    sources.LOST,
    "the crawling process ended with code -9 and left no record",
    *(
        rendered(node.value)
        for node in ast.walk(ast.parse(inspect.getsource(crawls)))
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and str(node.value.value).startswith("the ")
    ),
]  # fmt: skip


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_every_line_of_monitors_and_watch_is_known(line: str) -> None:
    chinese = in_chinese(line)
    assert CHINESE.search(chinese)
    assert not re.search("[a-z]{3}", STAY.sub("", chinese)), chinese


def test_the_lines_were_found() -> None:
    assert len(set(LINES)) > 20


@pytest.mark.parametrize("word", sorted(QUARANTINE_REASONS | NOT_ARTICLE_REASONS | CUT_SHORT))
def test_every_reason_word_of_a_page_or_an_end_is_known(word: str) -> None:
    assert CHINESE.search(in_chinese(word))
    assert in_chinese(f"{word}: http://a.cn/").endswith("：http://a.cn/")


def test_subjects_are_named_and_sources_keep_their_names() -> None:
    assert subject_in_chinese("clock", "this machine") == "本机"
    assert subject_in_chinese("in_doubt", "issue 12") == "第12期"
    assert subject_in_chinese("frozen", "mail") == "mail"


def test_a_very_long_line_costs_nothing_and_stays() -> None:
    line = "1 of " * 100_000
    assert in_chinese(line) == line
