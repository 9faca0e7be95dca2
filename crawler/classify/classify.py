"""What an article is about: zones, themes, relevance and what staff look for, each with the words that prove it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crawler.classify.figures import Figure, find_figures
from crawler.classify.folding import fold_page
from crawler.classify.gazetteer import build_gazetteer
from crawler.classify.hosts import CityHosts
from crawler.classify.matching import Matcher, WordList
from crawler.classify.organisations import Organisation, find_organisations
from crawler.classify.places import CityFinder
from crawler.classify.practices import Practice, find_practices
from crawler.classify.relevance import Reason, RelevanceScorer, Verdict
from crawler.classify.themes import ThemeFinder, ThemeTag
from crawler.classify.zones import Context, Found, ZoneFinder, ZoneTag
from store.vocabulary.places import load_prefectures
from store.vocabulary.relevance import RelevanceRules, load_relevance
from store.vocabulary.themes import load_themes
from store.vocabulary.zones import load_zones

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from store.vocabulary.themes import Theme
    from store.vocabulary.zones import Zone

#: What is read of a title and of a text, in characters; the rest of a longer one is not searched.
MAX_TITLE = 2_000
MAX_TEXT = 200_000
#: Figures, practices and organisations are read from so much of it.
MAX_DETAIL = 20_000


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict on one article. All spans are offsets into the title or the text as given.

    `score` is 0-1; `borderline` articles are below the threshold but kept for the editor, never relevant at once.
    `zones` and `themes` hold each zone and theme once with its best evidence.
    """

    relevant: bool
    borderline: bool
    score: float
    reasons: list[Reason] = field(default_factory=list)
    zones: list[ZoneTag] = field(default_factory=list)
    themes: list[ThemeTag] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    practices: list[Practice] = field(default_factory=list)
    organisations: list[Organisation] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; spans are [start, end] lists, tags without a place in the text have [0, 0]."""
        return {
            "relevant": self.relevant,
            "borderline": self.borderline,
            "score": round(self.score, 4),
            **{name: [_spanned(part) for part in getattr(self, name)] for name in _PARTS},
        }


_PARTS = ("reasons", "zones", "themes", "figures", "practices", "organisations")


def _spanned(part: Any) -> dict[str, Any]:
    values = {name: getattr(part, name) for name in part.__slots__}
    if "start" in values:
        values["span"] = [values.pop("start"), values.pop("end")]
    return values


class Classifier:
    """Classifies articles with one vocabulary. Immutable and safe to share between threads.

    `threshold` overrides that of the relevance rules.
    """

    def __init__(
        self,
        zones: Sequence[Zone],
        themes: Sequence[Theme],
        rules: RelevanceRules,
        *,
        threshold: float | None = None,
    ) -> None:
        words = WordList()
        prefectures = load_prefectures()
        gazetteer = build_gazetteer(zones, prefectures, words)
        self._zones = ZoneFinder(gazetteer, CityFinder(prefectures, gazetteer), CityHosts(prefectures))
        self._themes = ThemeFinder(themes, rules.themes, words)
        self._relevance = RelevanceScorer(rules, words)
        self._matcher = Matcher(words)
        self.threshold = rules.threshold if threshold is None else threshold
        self.borderline = min(self.threshold, rules.borderline)

    def classify(
        self,
        title: str,
        text: str,
        *,
        url: str = "",
        publisher: str | None = None,
        source_zone: str | None = None,
        outlet: str | None = None,
    ) -> Classification:
        """Return the verdict on one article; any text gets one, in linear time.

        `publisher` is the 来源 of the article, `outlet` the name of the site or newspaper it was read from,
        `source_zone` the short name of the zone whose source it is.
        """
        title, text = title[:MAX_TITLE], text[:MAX_TEXT]
        context = Context.of(url, publisher, outlet or "", source_zone)
        found, themes, verdict = self._read(title, text, context)
        relevant = verdict.score >= self.threshold
        shown = relevant or verdict.score >= self.borderline
        return Classification(
            relevant=relevant,
            borderline=shown and not relevant,
            score=verdict.score,
            reasons=verdict.reasons,
            zones=found.tags,
            themes=themes,
            figures=find_figures(text[:MAX_DETAIL]),
            practices=find_practices(text[:MAX_DETAIL]),
            organisations=find_organisations(text[:MAX_DETAIL]),
        )

    def features(
        self, title: str, text: str, *, url: str = "", publisher: str | None = None
    ) -> dict[str, float]:
        """Return the relevance features of an article, {} when zone or Party evidence is missing: input of the fit."""
        context = Context.of(url, publisher)
        return self._read(title[:MAX_TITLE], text[:MAX_TEXT], context)[2].features

    def _read(self, title: str, text: str, context: Context) -> tuple[Found, list[ThemeTag], Verdict]:
        page = fold_page(title, text)
        hits = self._matcher.find(page.folded.text)
        found = self._zones.find(page, hits, context)
        themes = self._themes.find(page, hits)
        return found, themes, self._relevance.score(page.folded.text, hits, found, page.title_end)


@lru_cache(maxsize=4)
def load_classifier(directory: Path | None = None, *, threshold: float | None = None) -> Classifier:
    """Return a classifier on the product's vocabulary, with the files that `directory` holds in their place.

    `threshold` overrides that of relevance.toml. Files are read once per process and directory.
    Raises store.vocabulary.loading.VocabularyError (`FILE:LINE: message`) for a file that is wrong.
    """
    rules = load_relevance(directory)
    zones, themes = load_zones(directory), load_themes(directory)
    return Classifier(zones, themes, rules, threshold=threshold)
