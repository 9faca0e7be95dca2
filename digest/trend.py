"""Geometry of the two charts: heights of bars, points of a line. Pure functions; drawing is the templates' business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def bars(values: Sequence[int], size: int) -> list[int]:
    """Return each value as a length of 1 to `size`, 0 for a value of 0; the largest is `size`."""
    top = max(values, default=0)
    return [max(1, round(size * value / top)) if value > 0 else 0 for value in values]


def signed(value: int) -> str:
    """Return a difference as a reader expects it: +5, −5 with a true minus, 持平 for none."""
    return f"+{value}" if value > 0 else f"−{-value}" if value else "持平"


def line(points: Sequence[Mapping[str, Any]], width: int, height: int) -> list[dict[str, Any]]:
    """Return the points of a trend as {x, y, label, stories} in a box of `width` by `height`, y growing downwards.

    The scale begins at 0; a single point lies at the right end.
    """
    top = max((point["stories"] for point in points), default=0) or 1
    step = width / max(1, len(points) - 1)
    return [
        {
            "x": round(width - step * (len(points) - 1 - place), 1),
            "y": round(height - height * point["stories"] / top, 1),
            "label": point["label"],
            "stories": point["stories"],
        }
        for place, point in enumerate(points)
    ]
