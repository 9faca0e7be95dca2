"""The geometry and fonts of the Word briefing: GB/T 9704-2012 unless an office's `briefing.toml` says otherwise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import msgspec

from store.config import Config, Section
from store.toml_file import read_toml

#: One millimetre and one point in twips, the unit of Word.
TWIPS_PER_MM = 1440 / 25.4
TWIPS_PER_POINT = 20
Millimetres = Annotated[float, msgspec.Meta(ge=5, le=150)]
Points = Annotated[float, msgspec.Meta(ge=6, le=72)]
FILE_NAME = "briefing.toml"


class Layout(Section, frozen=True):
    """Lengths in mm, sizes in points. Defaults are those of GB/T 9704-2012: A4, 版心 156×225 mm, 22 lines of 28 characters."""

    page_width: Annotated[float, msgspec.Meta(ge=100, le=500)] = 210
    page_height: Annotated[float, msgspec.Meta(ge=100, le=700)] = 297
    margin_top: Millimetres = 37
    margin_left: Millimetres = 28
    type_width: Annotated[float, msgspec.Meta(ge=50, le=480)] = 156
    type_height: Annotated[float, msgspec.Meta(ge=50, le=680)] = 225
    lines: Annotated[int, msgspec.Meta(ge=5, le=80)] = 22
    characters: Annotated[int, msgspec.Meta(ge=10, le=80)] = 28
    body_size: Points = 16
    number_size: Points = 14
    name_size: Points = 48
    name_font: str = "方正小标宋简体"
    heading_font: str = "黑体"
    title_font: str = "楷体_GB2312"
    body_font: str = "仿宋_GB2312"
    number_font: str = "宋体"
    latin_font: str = "Times New Roman"
    red: Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{6}$")] = "FF0000"

    @property
    def margin_right(self) -> float:
        """What the type area leaves on the right, in mm (26 by the standard)."""
        return self.page_width - self.margin_left - self.type_width

    @property
    def margin_bottom(self) -> float:
        """What the type area leaves below, in mm (35 by the standard)."""
        return self.page_height - self.margin_top - self.type_height

    @property
    def line_pitch(self) -> int:
        """Height of a line in twips, rounded down so that the last line still fits."""
        return int(self.type_height * TWIPS_PER_MM / self.lines)

    @property
    def char_space(self) -> int:
        """What the grid adds to a character's width, in 1/4096 point, as Word keeps it."""
        return int(self._wider * 4096)

    @property
    def spacing(self) -> int:
        """The same in twips, rounded down so that the last character still fits.

        It stands in the style, not in a grid of characters: LibreOffice gives a 16 pt letter two cells of 15.8 pt.
        """
        return math.floor(self._wider * TWIPS_PER_POINT)

    @property
    def _wider(self) -> float:
        return self.type_width * TWIPS_PER_MM / TWIPS_PER_POINT / self.characters - self.body_size


#: Fonts a machine without the standard's own ones shows instead, nearest first.
FALLBACKS = {
    "方正小标宋简体": "方正小标宋_GBK;FZXiaoBiaoSong-B05S;华文中宋;宋体;SimSun;Songti SC;Noto Serif CJK SC",
    "黑体": "SimHei;华文黑体;Heiti SC;Noto Sans CJK SC",
    "楷体_GB2312": "楷体;KaiTi;华文楷体;Kaiti SC;AR PL UKai CN;Noto Serif CJK SC",
    "仿宋_GB2312": "仿宋;FangSong;华文仿宋;STFangsong;Noto Serif CJK SC",
    "宋体": "SimSun;华文宋体;Songti SC;Noto Serif CJK SC",
    "Times New Roman": "Liberation Serif;Tinos;Noto Serif;Noto Serif CJK SC",
}


def load_layout(config: Config) -> Layout:
    """Return the layout of `briefing.toml` in the office's template folder, or the standard's.

    Raises store.toml_file.TomlError (`FILE:LINE: message`) for a file that cannot be used.
    """
    if not config.digest.templates:
        return Layout()
    path = Path(config.resolve(config.digest.templates)) / FILE_NAME
    return read_toml(path, Layout) if path.is_file() else Layout()


def twips(millimetres: float) -> int:
    """Return a length in twips."""
    return round(millimetres * TWIPS_PER_MM)
