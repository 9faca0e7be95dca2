"""How well torn newspaper text is cut into articles, on pages made and torn here and on real ones where they are."""

from __future__ import annotations

import difflib
import json
import random
import re
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawler.items import ArticleItem
from crawler.pages.torn import TornText, looks_like_newspaper
from tests.quality.invented import invent
from tests.quality.torn_pages import Piece, tear

PAGES = 120
QUOTES = str.maketrans({"『": "“", "』": "“", '"': "“", "”": "“"})


def norm(text: str) -> str:
    return re.sub(r"[\s·]", "", unicodedata.normalize("NFKC", text or "")).translate(QUOTES)


def grams(text: str) -> Counter[str]:
    bare = norm(text)
    return Counter(bare[i : i + 4] for i in range(len(bare) - 3))


def f1(one: str, other: str) -> float:
    a, b = grams(one), grams(other)
    return 2 * sum((a & b).values()) / max(1, sum(a.values()) + sum(b.values()))


def contained(part: str, whole: str) -> float:
    a, b = grams(part), grams(whole)
    return sum((a & b).values()) / max(1, sum(a.values()))


def titled(piece: Piece, item: ArticleItem) -> bool:
    wanted = (piece.title, (piece.kicker or "") + piece.title)
    got = (item.title, (item.kicker or "") + item.title, item.title + (item.subtitle or ""))
    return any(
        difflib.SequenceMatcher(None, norm(w), norm(g), autojunk=False).ratio() >= 0.95
        for w in wanted
        for g in got
    )


def measure(seed: int) -> Counter[str]:
    rng = random.Random(seed)
    pieces = [invent(rng, torn=rng.random() < 0.3) for _ in range(rng.randint(2, 5))]
    page = tear(pieces, rng)
    items = TornText(page.text).to_items()
    total: Counter[str] = Counter(false=len(items))
    for piece in pieces:
        best = max(items, key=lambda item: f1(piece.body, item.text), default=None)
        score = f1(piece.body, best.text) if best else 0.0
        kind = "torn" if piece.torn else "intact"
        total[kind] += 1
        total[f"{kind} body"] += score >= 0.9
        total[f"{kind} right"] += bool(best and score >= 0.9 and titled(piece, best))
        total["false"] -= score > 0.3
    everything = " ".join(item.title + item.text for item in items)
    for advert in page.adverts:
        total["advert"] += len(norm(advert))
        total["leaked"] += round(contained(advert, everything) * len(norm(advert)))
    for caption in page.captions:
        total["captions"] += 1
        total["captions leaked"] += norm(caption) in norm(everything)
    return total


@pytest.fixture(scope="module")
def measured() -> Counter[str]:
    total = sum((measure(seed) for seed in range(PAGES)), Counter())
    print("\ntorn newspaper text:", dict(sorted(total.items())))
    return total


def test_intact_headlines_have_their_articles(measured: Counter[str]) -> None:
    assert measured["intact right"] >= 0.95 * measured["intact"]


def test_torn_headlines_leave_most_bodies_whole(measured: Counter[str]) -> None:
    assert measured["torn body"] >= 0.85 * measured["torn"]
    assert measured["torn right"] >= 0.60 * measured["torn"]


def test_adverts_and_captions_stay_out(measured: Counter[str]) -> None:
    assert measured["advert"] > 1000
    assert measured["leaked"] <= 0.01 * measured["advert"]
    assert measured["captions leaked"] <= 0.01 * measured["captions"]


def test_hardly_any_article_is_made_up(measured: Counter[str]) -> None:
    assert measured["false"] <= 0.03 * (measured["intact"] + measured["torn"])


@pytest.mark.parametrize(
    "text",
    [
        "党\n" * 60_000,
        "近日" * 100_000,
        "本报讯(" * 40_000,
        "（记者 " * 40_000,
        "▶ " + "张三 " * 50_000,
        "“" * 150_000,
        "电话:" * 50_000,
        "高新区" * 60_000,
        "\n\n".join(f"小标题甲乙丙丁{i}\n\n近日，衡川高新区召开会议，研究部署工作。" for i in range(2_400)),
    ],
    ids=lambda text: text[:4].strip(),
)
def test_hostile_text_is_read_in_seconds(text: str) -> None:
    begun = time.process_time()
    TornText(text).to_items()
    assert time.process_time() - begun < 4


@pytest.mark.real
@pytest.mark.parametrize("name", ["002", "003"])
def test_real_torn_pages_come_out_whole(shared_data: Path, name: str) -> None:
    text = (shared_data / "seeds" / f"{name}.txt").read_text("utf-8")
    gold: dict[str, Any] = json.loads((shared_data / "seeds" / f"{name}.json").read_text("utf-8"))
    items = TornText(text).to_items()
    assert looks_like_newspaper(text)
    assert len(items) == len(gold["articles"])
    for article, item in zip(gold["articles"], items, strict=True):
        assert f1(article["body"], item.text) >= 0.98
        wanted = article.get("title_minimum") or [article["title"] or ""]
        assert all(norm(part) in norm(item.title) for part in wanted)
        assert article.get("title_minimum") or not article["title"] or item.title == article["title"]
    everything = "".join(item.text for item in items)
    for advert in gold["adverts"]:
        assert not any(line in everything for line in advert["text"].split("\n"))
    assert not any(norm(caption["text"]) in norm(everything) for caption in gold["captions"])


@pytest.mark.real
@pytest.mark.parametrize("name", ["000", "001"])
def test_single_articles_are_no_newspaper_pages(shared_data: Path, name: str) -> None:
    assert not looks_like_newspaper((shared_data / "seeds" / f"{name}.txt").read_text("utf-8"))
