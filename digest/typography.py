"""Chinese typography: full-width punctuation, no stray spaces, brackets and quotation marks in pairs. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from store.text import clean_line

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WIDE = _HAN + "，。；：？！、（）《》〈〉【】〔〕「」『』“”‘’…—·"
_WIDE_ASCII = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code).isalnum()}
    | {"％": "%", "＋": "+", "＊": "*", "＃": "#", "＠": "@"}
)
_FULL = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"}
_PAIRS = {
    "（": "）",
    "《": "》",
    "〈": "〉",
    "【": "】",
    "〔": "〕",
    "「": "」",
    "『": "』",
    "“": "”",
    "‘": "’",
}
_CLOSERS = frozenset(_PAIRS.values())
_END = "。！？!?…"
#: A mark that goes brings its neighbours together, blanks among them; twice is enough but for nonsense.
_PASSES = 8
#: Fewer Han characters between blanks are letters pulled apart (党 建 引领), not a clause.
_SHORTEST_CLAUSE = 4
#: Stands for a blank that must outlive repair(); no text has it.
_CLAUSE_BLANK = "\ue000"
#: A sentence that never closes its quotation mark is cut here, so that one lost mark cannot swallow a text.
_LONGEST_QUOTE = 300


def repair(text: str) -> str:
    """Return `text` on one line as a Chinese editor would set it. Letters, digits and words are never changed.

    Half-width punctuation beside Han characters becomes full-width, blanks beside Han characters go, straight
    quotation marks are turned, marks and brackets without a partner are left out. Idempotent.
    """
    line = clean_line(text).translate(_WIDE_ASCII)
    for _ in range(_PASSES):
        if (better := clean_line(_once(line))) == line:
            break
        line = better
    return line


def repair_title(text: str) -> str:
    """Return a headline set like other text, but for the blank between two of its clauses, which stands for a comma."""
    parts = clean_line(text).split(" ")
    line = parts[0]
    for before, after in pairwise(parts):
        both = _clause(before) and _clause(after)
        line += f"{_CLAUSE_BLANK if both else ' '}{after}"
    return repair(line).replace(_CLAUSE_BLANK, " ")


def _clause(part: str) -> bool:
    return sum(map(_is_han, part)) >= _SHORTEST_CLAUSE


def _once(line: str) -> str:
    line = re.sub(rf"(?<=[{_WIDE}]) | (?=[{_WIDE}])", "", line)
    line = re.sub(r"(?:\.{3,}|⋯+|…+)", "……", line).replace("--", "——")
    line = re.sub(r"—{3,}", "——", line)
    return _paired(_turned(_widened(line)))


def _widened(line: str) -> str:
    """Punctuation beside Han becomes full-width; 3,000 and 10:27 and English stay."""
    out = list(line)
    for place, char in enumerate(line):
        before, after = line[place - 1 : place], line[place + 1 : place + 2]
        if char in _FULL and (_is_han(before) or _is_han(after) or (before and before in _CLOSERS)):
            if char in ",:" and before.isascii() and before.isdigit() and after.isascii() and after.isdigit():
                continue
            out[place] = _FULL[char]
        elif char == "." and _is_han(before) and not (after and after.isascii() and after.isalnum()):
            out[place] = "。"
    return _matched_brackets("".join(out))


def _matched_brackets(line: str) -> str:
    """A pair of brackets of which one half was widened becomes full-width as a whole."""
    out, stack = list(line), []
    for place, char in enumerate(line):
        if char in "(（":
            stack.append(place)
        elif char in ")）" and stack:
            start = stack.pop()
            if {out[start], char} != {"(", ")"}:
                out[start], out[place] = "（", "）"
    return "".join(out)


def _turned(line: str) -> str:
    if not _has_han(line):
        return line
    out, opened = [], False
    for char in line:
        if char == '"':
            out.append("”" if opened else "“")
            opened = not opened
        else:
            out.append(char)
    return "".join(out)


def _paired(line: str) -> str:
    """Leave out every bracket or quotation mark without partner; an apostrophe inside a Latin word stays."""
    stack: list[int] = []
    orphans: set[int] = set()
    for place, char in enumerate(line):
        if char in _PAIRS:
            stack.append(place)
        elif char in _CLOSERS:
            if char == "’" and line[place - 1 : place].isascii() and line[place + 1 : place + 2].isascii():
                continue
            _close(line, place, stack, orphans)
    orphans.update(stack)
    return "".join(char for place, char in enumerate(line) if place not in orphans)


def _close(line: str, place: int, stack: list[int], orphans: set[int]) -> None:
    openers = [index for index in reversed(stack[-6:]) if _PAIRS[line[index]] == line[place]]
    if not openers:
        orphans.add(place)
        return
    while stack[-1] != openers[0]:
        orphans.add(stack.pop())
    stack.pop()


def sentences(text: str) -> list[str]:
    """Return the sentences of `text` in order, each with its closing mark; a line break always ends one, a quotation never splits."""
    found: list[str] = []
    for line in text.split("\n"):
        found.extend(_of_line(line))
    return found


def _of_line(line: str) -> list[str]:
    found, start, depth, place = [], 0, 0, 0
    while place < len(line):
        char = line[place]
        depth = max(0, depth + (char in "“「『（《") - (char in "”」』）》"))
        place += 1
        inside = depth and place - start < _LONGEST_QUOTE
        ends = char in _END or (char in "”」』" and line[place - 2 : place - 1] in set(_END))
        if ends and not inside:
            while place < len(line) and line[place] in _END + "”’」』）》":
                place += 1
            found.append(line[start:place].strip())
            start, depth = place, 0
    found.append(line[start:].strip())
    return [sentence for sentence in found if sentence]


def folded(text: str) -> str:
    """Return only the letters, digits and Han of `text`, in half width: what repair() never changes."""
    return "".join(char for char in unicodedata.normalize("NFKC", clean_line(text)) if char.isalnum())


def _is_han(char: str) -> bool:
    return bool(char) and ("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" or char in "〇々")


def _has_han(line: str) -> bool:
    return any(map(_is_han, line))
