"""What a crawl came to, in the lines a person wants to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from store.counts import Counts

if TYPE_CHECKING:
    from crawler.tally import Tally


def crawl_lines(tallies: Mapping[str, Tally], before: Counts, after: Counts) -> list[str]:
    """Return the summary of one crawl: totals, then every source that gave trouble, then the reasons."""
    from crawler.tally import judge

    verdicts = {name: judge(tally, "finished") for name, tally in tallies.items()}
    outcomes = Counter(visit.outcome for visit in verdicts.values())
    reasons = sum((tally.reasons for tally in tallies.values()), Counter[str]())
    pages = sum(tally.pages for tally in tallies.values())
    rows = [
        (
            "sources",
            f"{len(tallies)} visited: "
            + ", ".join(f"{count} {word}" for word, count in sorted(outcomes.items(), key=_order)),
        ),
        ("requests", str(sum(tally.requests for tally in tallies.values()))),
        (
            "pages",
            f"{pages} read, {sum(tally.known for tally in tallies.values())} known ones not fetched again",
        ),
        (
            "articles",
            f"{after.articles - before.articles} new, {sum(tally.revised for tally in tallies.values())} revised",
        ),
        (
            "relevant",
            f"{after.relevant - before.relevant} articles, {after.borderline - before.borderline} borderline",
        ),
        (
            "stories",
            f"{after.stories - before.stories} new, {after.relevant_stories - before.relevant_stories} of them relevant",
        ),
        ("joined", f"{after.joined - before.joined} copies: " + _relations(before, after)),
    ]
    lines = [f"  {label:9} {text}" for label, text in rows]
    lines += [
        f"  {visit.outcome:9} {name}: {visit.error or visit.reason}"
        for name, visit in verdicts.items()
        if visit.outcome != "ok"
    ]
    if reasons:
        lines.append("  by reason " + ", ".join(f"{word} {count}" for word, count in reasons.most_common()))
    return lines


def _order(item: tuple[str, int]) -> int:
    return (
        ("ok", "degraded", "failed", "interrupted").index(item[0])
        if item[0] in {"ok", "degraded", "failed", "interrupted"}
        else 9
    )


def _relations(before: Counts, after: Counts) -> str:
    grown = {word: count - before.relations.get(word, 0) for word, count in after.relations.items()}
    return (
        ", ".join(f"{count} {word}" for word, count in sorted(grown.items()) if count and word != "original")
        or "none"
    )
