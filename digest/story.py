"""One story as the digest tells it: everything every form needs, frozen as plain JSON values. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from digest.names import Names
from digest.period import local_day
from digest.summarize import summarize
from digest.typography import folded, repair, repair_title
from store.config import Config
from store.issues import Candidate, Copy, EditorAct
from store.text import clean_line

#: A title longer than this is cut with …… in every form; the page of facts links to the original.
TITLE_LIMIT = 80
FIGURES = 4
PRACTICES = 3
NO_TITLE = "（无标题）"
#: Who wrote a summary: nothing is said of one that is made of the article's own sentences.
SUMMARY_MARKS = {"extract": "", "editor": "（编者摘要）", "model": "（机器摘要，已核数字和名称）"}


def story_content(
    candidate: Candidate, acts: Sequence[EditorAct], config: Config, names: Names
) -> dict[str, Any]:
    """Return the frozen content of a story, with the editor's title, summary and note where there are any."""
    main = candidate.copies[0]
    zones = _zone_names(candidate.copies)
    title = _last(acts, "retitle") or repair_title(main.title or candidate.title)
    summary = _last(acts, "summary")
    outlets, reprints = _outlets(candidate)
    figures = [text for text in _texts(main.classification.get("figures"), FIGURES) if _grounded(text, main)]
    practices = [
        text for text in _texts(main.classification.get("practices"), PRACTICES) if _grounded(text, main)
    ]
    return {
        "title": _cut(title) or NO_TITLE,
        "zones": [{"name": zone, "province": names.province(zone)} for zone in zones],
        "themes": [
            {"key": key, "title": names.theme(key), "short": names.short(key), "place": names.order(key)}
            for key in _themes(candidate.copies, names)
        ],
        "summary": repair(summary) or summarize(main.title, main.text, zones),
        "summary_by": "editor" if summary else "extract",
        "figures": figures,
        "practices": practices,
        "publisher": clean_line(candidate.publisher) or main.publisher or main.site,
        **_date(candidate, config.zone_info),
        "url": web_link(main.url),
        "outlets": outlets,
        "reprints": reprints,
        "follow_up": _follow_up(candidate),
        "same_event": [],
        "note": repair(_last(acts, "note")),
        "flags": sorted(main.flags),
        "headline": False,
    }


def web_link(url: str) -> str:
    """Return an http(s) address as it is, and "" for every other scheme or for what is no address at all."""
    url = clean_line(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc and " " not in url else ""


def _last(acts: Sequence[EditorAct], kind: str) -> str:
    values = [clean_line(act.value) for act in acts if act.kind == kind]
    return values[-1] if values else ""


def _cut(title: str) -> str:
    return title if len(title) <= TITLE_LIMIT else repair_title(title[: TITLE_LIMIT - 2]) + "……"


def _zone_names(copies: Sequence[Copy]) -> list[str]:
    """Acting zones of the representative, or of the first copy that has any: an anonymised page has none."""
    for copy in copies:
        if found := [tag.name for tag in copy.tags if tag.kind == "zone" and tag.role == "actor"]:
            return list(dict.fromkeys(found))
    return []


def _themes(copies: Sequence[Copy], names: Names) -> list[str]:
    for copy in copies:
        if found := [tag.name for tag in copy.tags if tag.kind == "theme"]:
            return sorted(set(found), key=partial(_strength, found, names))
    return []


def _strength(found: Sequence[str], names: Names, key: str) -> tuple[int, int]:
    """The theme with most evidence comes first: it decides the section."""
    return (-found.count(key), names.order(key))


def _outlets(candidate: Candidate) -> tuple[list[str], list[dict[str, str]]]:
    """Every outlet that carries the story, and those beside the main copy with their links, one link an outlet."""
    main = candidate.copies[0]
    first = clean_line(candidate.publisher) or main.publisher or main.site or host(main.url)
    seen = {first, main.site, host(main.url)} - {""}
    outlets = [first] if first else []
    reprints = []
    for copy in candidate.copies[1:]:
        name = copy.site or host(copy.url) or copy.publisher
        if name and name not in seen:
            seen.add(name)
            outlets.append(name)
            reprints.append({"publisher": name, "url": web_link(copy.url)})
    return outlets, reprints


def host(url: str) -> str:
    """Return the host of a web address without www., or ""."""
    return (urlsplit(web_link(url)).hostname or "").removeprefix("www.")


def _texts(values: Any, limit: int) -> list[str]:
    """Figures and practices come as text or as tables with `what`, `number` and `unit`, or with `name`."""
    found: list[str] = []
    for value in values if isinstance(values, list) else []:
        text = value if isinstance(value, str) else _of_table(value)
        text = repair(text)
        if text and len(text) <= 40 and text not in found:
            found.append(text)
    return found[:limit]


def _of_table(value: Any) -> str:
    """A figure that does not say what it counts tells a reader nothing; a practice stands in quotation marks."""
    if not isinstance(value, dict):
        return ""
    if value.get("what") and value.get("number"):
        return f"{value['what']}{value['number']}{value.get('unit') or ''}"
    return f"“{value['name']}”" if value.get("name") else ""


def _grounded(text: str, copy: Copy) -> bool:
    """Return whether every number of `text`, and the text itself unless it has one, stands in the article."""
    source = folded(copy.title + copy.text)
    digits = "".join(char if char.isdigit() else " " for char in text).split()
    return all(digit in source for digit in digits) if digits else folded(text) in source


def _date(candidate: Candidate, zone: ZoneInfo) -> dict[str, str]:
    moment = candidate.published_at or candidate.copies[0].published_at
    return {"date": _iso(moment, zone), "seen": _iso(candidate.seen_at, zone)}


def _iso(moment: datetime | None, zone: ZoneInfo) -> str:
    return local_day(moment, zone).isoformat() if moment else ""


def _follow_up(candidate: Candidate) -> dict[str, Any] | None:
    if (earlier := candidate.earlier) is None:
        return None
    return {
        "story_id": earlier.story_id,
        "title": earlier.title,
        "number": earlier.number,
        "label": f"{earlier.year}年第{earlier.year_number}期",
    }
