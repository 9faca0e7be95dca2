"""The report of `make quality`: its measures on cases worked out by hand, and a run over a folder made here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Site
from tests.quality.html_report import judge
from tests.quality.measures import Table, address, contained, grams, harmonic, moment, overlap, plain, similar
from tests.quality.newspaper_report import Sums, same_title
from tests.quality.stories_report import _cubed

REPORT = Path(__file__).with_name("report.py")


def test_white_space_and_width_do_not_count() -> None:
    assert plain(" ＡＢ　c\u200b\n") == "ABc"
    assert overlap(grams("党建引领发展"), grams("党建 引领\n发展")) == (1.0, 1.0, 1.0)


def test_overlap_counts_repeated_grams_once_each() -> None:
    precision, recall, f1 = overlap(Counter("aab"), Counter("aaab"))
    assert (precision, recall) == (0.75, 1.0)
    assert f1 == pytest.approx(6 / 7)
    assert overlap(Counter("a"), Counter()) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "day", "minute"),
    [
        ("2019-10-05T08:17:00+08:00", "2019-10-05", "08:17"),
        ("2018年06月06日08:25", "2018-06-06", "08:25"),
        ("2019年1月5日", "2019-01-05", None),
        ("2019/1/5 9:07", "2019-01-05", "09:07"),
        ("昨天", None, None),
        (None, None, None),
    ],
)
def test_days_and_minutes_are_read_of_any_spelling(
    text: str | None, day: str | None, minute: str | None
) -> None:
    assert moment(text) == (day, minute)


def test_links_are_the_same_whatever_the_scheme() -> None:
    assert address("http://A.cn//x/%41.html#top") == address("https://a.cn/x/A.html")
    assert address("http://a.cn/x?p=1") != address("http://a.cn/x?p=2")


def test_precision_and_recall_of_nothing_are_nothing() -> None:
    assert harmonic(0, 0, 0)[2] == 0
    assert harmonic(8, 2, 0)[:2] == (0.8, 1.0)


def page(**more: Any) -> dict[str, Any]:
    gold = {
        "file": "a.html",
        "title": "标题",
        "publish_time": "2024-05-01 08:00",
        "body_text": "正文第一段。" * 5,
    }
    return gold | {"source": "宝鸡日报", "author": None, "editor": None} | more


def found(**more: Any) -> dict[str, Any]:
    read = {"title": "标 题", "published_at": "2024-05-01T08:00:00+08:00", "text": "正文第一段。" * 5}
    return read | {"publisher": "宝鸡日报"} | more


def test_a_whole_record_needs_title_minute_source_and_body() -> None:
    assert judge(page(), found())["whole"] is True
    assert judge(page(), found(title="别的"))["whole"] is False
    assert judge(page(), found(published_at="2024-05-01T08:01:00+08:00"))["whole"] is False
    assert judge(page(), found(publisher=None))["whole"] is False
    assert judge(page(), found(text="另一篇文章的正文。" * 5))["whole"] is False
    assert judge(page(source=None), found(publisher="谁"))["whole"] is True


def test_a_day_that_the_page_does_not_give_is_invented() -> None:
    row = judge(page(publish_time=None), found())
    assert row["invented"] is True
    assert row["whole"] is False
    assert "minute" not in row


def test_a_second_time_of_the_page_is_right_too() -> None:
    assert judge(page(publish_time_alt=["2024-05-01 09:30"]), found(published_at="2024-05-01 09:30"))[
        "minute"
    ]


def cut(title: str, text: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "kicker": None, "subtitle": None, "text": text} | more


def test_a_headline_may_carry_its_kicker_and_any_quotation_marks() -> None:
    gold = {"title": "“红色引擎”引领“三区一高地”崛起"}
    assert same_title(gold, cut("『红色引擎』引领『三区一高地』崛起", ""))
    assert same_title({"title": "镇江高新区党建引领发展"}, cut("党建引领发展", "", kicker="镇江高新区"))
    assert same_title({"title": None}, None)
    assert not same_title(gold, None)
    torn = {"title": "高新区党建引领促治理", "title_minimum": ["高新区", "党建引领促"]}
    assert same_title(torn, cut("高新区 党建引领促进", ""))
    assert not same_title(torn, cut("党建引领促进", ""))


def test_articles_that_are_none_are_false_and_adverts_leak() -> None:
    sums = Sums()
    gold: dict[str, Any] = {
        "articles": [{"title": "党建引领发展", "body": "会议指出要把党的组织优势转化为发展优势。"}],
        "adverts": ["欢迎来我区投资兴业电话三二七八"],
    }
    answer = {
        "seconds": 0.1,
        "articles": [
            cut("党建引领发展", gold["articles"][0]["body"]),
            cut("招商", "欢迎来我区投资兴业电话三二七八"),
        ],
    }
    assert sums.add(gold, answer) == []
    assert (sums.right, sums.false, sums.leaked, sums.advert) == (1, 1, 15, 15)
    assert contained("投资兴业", "欢迎投资兴业") == 1.0
    assert similar("党建", "") == 0.0


def test_b_cubed_of_a_split_and_a_merged_story() -> None:
    truth = {name: {"stories": [story]} for name, story in zip("abcd", "xxyy", strict=True)}
    table = Table("")
    _cubed(table, truth, {"a": 1, "b": 1, "c": 2, "d": 3})
    values = {name: value for name, value, _, _ in table.lines}
    assert values["B³ precision"] == "1.0000"
    assert values["B³ recall"] == "0.7500"


def test_a_figure_below_what_is_required_says_so() -> None:
    table = Table("t")
    table.share("good", [True, True], 97)
    table.add("slow", 20, 15, most=True, unit="ms")
    text = str(table)
    assert "100.0 %" in text
    assert text.count("ok") == 1
    assert text.count("BELOW") == 1


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(REPORT), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    return done.stdout


def test_a_folder_that_is_not_there_is_a_word_and_no_error(tmp_path: Path) -> None:
    said = run("--data", str(tmp_path / "nowhere"), "--only", "lists", "stories")
    assert said.count("is not there") == 2


def test_a_folder_of_the_same_form_is_measured(tmp_path: Path) -> None:
    texts = [
        f"宝鸡高新区第{n}党支部组织党员走访企业{n + 3}家，收集问题{n * 2 + 1}件，当场答复办结。"
        for n in range(5)
    ]
    (tmp_path / "html" / "pages").mkdir(parents=True)
    (tmp_path / "html" / "pages" / "a.html").write_bytes(
        Site.article_page("宝鸡高新区党员走访企业送服务", texts)
    )
    gold = page(
        title="宝鸡高新区党员走访企业送服务", publish_time="2026-11-20 09:30", body_text="\n".join(texts)
    )
    gold |= {"url": "http://www.baoji.example/a.html", "encoding": "utf-8", "editor": "李想"}
    (tmp_path / "html" / "gold.json").write_text(json.dumps([gold]), encoding="utf-8")
    said = run("--data", str(tmp_path), "--only", "html")
    for name in ("title exact", "minute", "source exact", "editor exact", "WHOLE RECORD", "decoded right"):
        line = next(line for line in said.splitlines() if line.startswith(name))
        assert "100.0 %" in line
        assert line.endswith("ok")
