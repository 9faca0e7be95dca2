from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.classify.classify import load_classifier
from crawler.classify.fit import Example, Score, cross_validate, fit, main, probability, read_examples

PRIOR = {"bias": 0.0, "party": 0.1, "other": -0.1}


def examples(count: int = 40) -> list[Example]:
    return [
        Example({"party": 1.0} if number % 2 else {"other": 1.0}, bool(number % 2), f"source {number % 8}")
        for number in range(count)
    ]


def test_weights_learn_what_separates_the_examples() -> None:
    weights = fit(examples(), PRIOR)
    assert probability(weights, {"party": 1.0}) > 0.8
    assert probability(weights, {"other": 1.0}) < 0.2


def test_evidence_never_changes_sides() -> None:
    turned = [Example(example.features, not example.relevant, example.group) for example in examples()]
    weights = fit(turned, PRIOR)
    assert weights["party"] >= 0
    assert weights["other"] <= 0


def test_nothing_to_learn_from_leaves_the_weights() -> None:
    assert fit([], PRIOR) == PRIOR
    assert fit([Example({}, False, "a")], PRIOR) == PRIOR


def test_folds_decide_every_example_once() -> None:
    score = cross_validate(examples(), PRIOR, 0.5)
    assert score.hits + score.misses == 20
    assert (score.precision, score.recall) == (1.0, 1.0)


def test_an_article_without_features_counts_as_refused() -> None:
    score = Score()
    score.add(Example({}, True, "a"), decided=False)
    assert (score.misses, score.recall) == (1, 0.0)


def test_borderline_articles_are_left_out() -> None:
    lines = [
        json.dumps({"title": "高新区", "text": "党建", "relevant": label})
        for label in ("yes", "borderline", "no")
    ]
    assert [example.relevant for example in read_examples(lines, load_classifier())] == [True, False]


def test_the_command_prints_a_section_to_paste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "set.jsonl"
    rows = [
        {"title": "济南高新区党建会", "text": "济南高新区党工委部署两新党建，党员参加。", "relevant": "yes"},
        {"title": "济南高新区招商", "text": "签约项目三个，党工委书记出席。", "relevant": "no"},
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", "utf-8")
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# 2 articles, five folds: P ")
    assert "\n[weights]\nzone_title = " in printed


def test_the_command_without_files_says_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
