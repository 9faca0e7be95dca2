"""Parts printed with gaps are, octet for octet, what encoding the finished text would give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.message import base64_lines, canonical_text, text_part_head
from digest.plates import make_plate, new_mark

MARKS = [new_mark(76), new_mark(76), new_mark(76)]
FILLING = {mark: f"{n}{'-_.aZ9' * 13}"[:76].encode() for n, mark in enumerate(MARKS)}
PIECES = st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=150)), max_size=12)


@given(PIECES)
def test_a_printed_part_is_what_the_finished_text_encodes_to(pieces: list[str]) -> None:
    text = "".join(pieces)
    finished = text
    for mark, value in FILLING.items():
        finished = finished.replace(mark, value.decode())
    plate = make_plate("html", text, MARKS)
    assert plate is not None
    assert plate.printed(FILLING) == text_part_head("html") + base64_lines(canonical_text(finished))


def test_what_is_shared_is_encoded_once() -> None:
    plate = make_plate("plain", "共" * 20_000 + MARKS[0] + "共" * 20_000, MARKS)
    assert plate is not None
    assert sum(not isinstance(piece, bytes) for piece in plate.pieces) == 1
    assert sum(map(len, plate.raw)) <= 4 * 57


@pytest.mark.parametrize(
    "change", [str.upper, lambda mark: mark[:60], lambda mark: f"{mark[:40]}\n{mark[40:]}"]
)
def test_a_template_that_changes_links_gets_no_plate(change: object) -> None:
    assert callable(change)
    assert make_plate("html", f"<a href='https://a.cn/u/{change(MARKS[0])}'>", MARKS) is None


def test_a_text_without_links_is_one_piece() -> None:
    plate = make_plate("plain", "要情\n", [])
    assert plate is not None
    assert plate.printed({}) == text_part_head("plain") + base64_lines("要情\r\n".encode())
