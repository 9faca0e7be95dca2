"""How well a cut page agrees with what was set: the same measure for made and real pages."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.items import ArticleItem

_QUOTES = str.maketrans({"『": "“", "』": "“", "「": "“", "」": "“", '"': "“", "”": "“"})


@dataclass
class Score:
    """Sums over pages; an article is right when title similarity is ≥ .95 and the body's 4-gram F1 ≥ .90."""

    articles: int = 0
    right: int = 0
    false: int = 0
    advert_letters: int = 0
    advert_leaked: int = 0

    @property
    def share(self) -> float:
        return self.right / max(1, self.articles)

    def add(
        self, gold: Sequence[dict[str, Any]], adverts: Sequence[str], items: Sequence[ArticleItem]
    ) -> list[str]:
        """Add one page; return the titles of the articles that are not right."""
        used: set[int] = set()
        wrong = []
        for article in gold:
            body = article.get("body") or "\n".join(article["paragraphs"])
            best = max(
                ((f1(body, item.text), i) for i, item in enumerate(items) if i not in used), default=(0.0, -1)
            )
            found = items[best[1]] if best[0] > 0.3 else None
            if found:
                used.add(best[1])
            right = found is not None and best[0] >= 0.9 and _same_title(article, found)
            self.articles += 1
            self.right += right
            if not right:
                wrong.append(str(article["title"]))
        self.false += len(items) - len(used)
        everything = " ".join(item.title + item.text for item in items)
        for advert in adverts:
            letters = len(_norm(advert))
            self.advert_letters += letters
            self.advert_leaked += round(_contained(advert, everything) * letters)
        return wrong


def _same_title(gold: dict[str, Any], item: ArticleItem) -> bool:
    wanted = [str(gold["title"]), *gold.get("title_accept", [])]
    got = [item.title, (item.kicker or "") + item.title, item.title + (item.subtitle or "")]
    return any(_similar(w, g) >= 0.95 for w in wanted for g in got)


def _norm(text: str) -> str:
    return re.sub(r"[\s\u3000·]", "", unicodedata.normalize("NFKC", text)).translate(_QUOTES)


def _grams(text: str) -> Counter[str]:
    text = _norm(text)
    return Counter(text[i : i + 4] for i in range(len(text) - 3))


def f1(a: str, b: str) -> float:
    """Return the F1 of the 4-grams of two texts."""
    x, y = _grams(a), _grams(b)
    return 2 * sum((x & y).values()) / max(1, sum(x.values()) + sum(y.values()))


def _contained(part: str, whole: str) -> float:
    x, y = _grams(part), _grams(whole)
    return sum((x & y).values()) / max(1, sum(x.values()))


def _similar(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, _norm(a), _norm(b)).ratio()
