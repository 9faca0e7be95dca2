"""The numbers of an issue or of a recipient's cut of it, and the sentences made from them. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Content = Mapping[str, Any]
#: Zones shown one by one in the table zone × theme; the others are summed up in its last row.
TABLE_ROWS = 12
UNKNOWN_ZONE = "园区待核"


def count(stories: Sequence[Content]) -> dict[str, int]:
    """Return how many stories, zones, provinces, outlets and reprints there are."""
    return {
        "stories": len(stories),
        "zones": len({zone["name"] for story in stories for zone in story["zones"]}),
        "provinces": len(
            {zone["province"] for story in stories for zone in story["zones"] if zone["province"]}
        ),
        "outlets": len({name for story in stories for name in story["outlets"]}),
        "reprints": sum(len(story["reprints"]) for story in stories),
        "follow_ups": sum(story["follow_up"] is not None for story in stories),
    }


def per_theme(stories: Sequence[Content]) -> list[dict[str, Any]]:
    """Return every theme that occurs with its number of stories (a story counts for each of its themes), most first."""
    found = Counter(theme["key"] for story in stories for theme in story["themes"])
    themes = {theme["key"]: theme for story in stories for theme in story["themes"]}
    keys = sorted(found, key=lambda key: (-found[key], themes[key]["place"], key))
    return [{**themes[key], "count": found[key]} for key in keys]


def table(stories: Sequence[Content], themes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the table zone × theme: the zones with most stories, the others in one row; `total` counts stories, not tags."""
    cells: dict[str, Counter[str]] = {}
    totals: Counter[str] = Counter()
    for story in stories:
        for zone in [zone["name"] for zone in story["zones"]] or [UNKNOWN_ZONE]:
            totals[zone] += 1
            cells.setdefault(zone, Counter()).update(theme["key"] for theme in story["themes"])
    names = sorted(totals.keys() - {UNKNOWN_ZONE}, key=lambda zone: (-totals[zone], zone))
    if len(names) > TABLE_ROWS + 1:
        rest = names[TABLE_ROWS:]
        other = f"其余{len(rest)}个园区"
        cells[other] = sum((cells[zone] for zone in rest), Counter())
        totals[other] = sum(totals[zone] for zone in rest)
        names = [*names[:TABLE_ROWS], other]
    names += [UNKNOWN_ZONE] * (UNKNOWN_ZONE in totals)
    keys = [theme["key"] for theme in themes]
    rows = [
        {"zone": zone, "cells": [cells[zone][key] for key in keys], "total": totals[zone]} for zone in names
    ]
    return {"columns": [dict(theme) for theme in themes], "rows": rows}


def compared(now: int, before: Sequence[int]) -> dict[str, Any]:
    """Return the difference to the last issue and to the mean of the last four; None where there is nothing to compare with."""
    four = before[:4]
    mean = sum(four) / len(four) if four else None
    return {
        "last": before[0] if before else None,
        "change": now - before[0] if before else None,
        "mean": round(mean, 1) if mean is not None else None,
    }


def overview(
    counts: Mapping[str, int],
    themes: Sequence[Mapping[str, Any]],
    stories: Sequence[Content],
    change: Mapping[str, Any],
) -> str:
    """Return the paragraph that tells the numbers in words; every number in it is one of `counts`, `themes`, `change`."""
    if not counts["stories"]:
        return "本期未收录到高新区党建报道。未能访问的来源见“未能覆盖”。"
    text = f"本期收录高新区党建报道{counts['stories']}条"
    if counts["zones"]:
        text += f"，涉及{counts['zones']}个高新区"
        text += f"、{counts['provinces']}个省（自治区、直辖市）" if counts["provinces"] else ""
    text += f"，见于{counts['outlets']}家媒体" if counts["outlets"] else ""
    text += _change_words(change) + "。"
    if themes:
        listed = "、".join(f"{theme['title']}（{theme['count']}条）" for theme in themes[:3])
        text += f"从主题看，{listed}{'居前' if len(themes) > 1 else '为主'}。"
    text += _zone_words(stories)
    if counts["follow_ups"]:
        text += f"另有{counts['follow_ups']}条为前期报道的后续。"
    return text


def _change_words(change: Mapping[str, Any]) -> str:
    if change["change"] is None:
        return ""
    difference = change["change"]
    if difference:
        words = f"，比上期{'增加' if difference > 0 else '减少'}{abs(difference)}条"
    else:
        words = "，与上期持平"
    return words + f"（前四期平均{number(change['mean'])}条）"


def _zone_words(stories: Sequence[Content]) -> str:
    zones = Counter(zone["name"] for story in stories for zone in story["zones"])
    top = [(zone, n) for zone, n in sorted(zones.items(), key=lambda item: (-item[1], item[0]))[:3] if n > 1]
    return f"报道较多的有{'、'.join(f'{zone}（{n}条）' for zone, n in top)}。" if top else ""


def number(value: float) -> str:
    """Return a number without a needless .0."""
    return f"{value:.1f}".removesuffix(".0")
