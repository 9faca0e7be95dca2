from __future__ import annotations

import codecs

import pytest

from crawler.extract.decoding import MAX_BYTES, decode

TEXT = "高新区召开基层党建工作推进会，部署全年重点任务。"
TRADITIONAL = "高新區召開基層黨建工作推進會，部署全年重點任務，這是我們的責任。"


@pytest.mark.parametrize(
    ("encoding", "bom", "name"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8"),
        ("gb18030", b"", "gb18030"),
        ("gbk", b"", "gb18030"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_the_bytes_decide_whatever_the_page_declares(encoding: str, bom: bytes, name: str) -> None:
    page = f'<html><head><meta charset="iso-8859-1"></head><body>{TEXT}</body></html>'
    got = decode(bom + page.encode(encoding), "ascii")
    assert (got.text, got.encoding) == (page, name)


def test_big5_is_told_from_gb_by_its_characters() -> None:
    page = f"<html><body>{TRADITIONAL}</body></html>"
    assert decode(page.encode("big5")).text == page
    assert decode(page.encode("big5"), "big5").encoding == "big5"


def test_utf16_without_a_mark_is_recognised() -> None:
    page = f"<html><head><title>a</title></head><body>{TEXT}</body></html>"
    assert decode(page.encode("utf-16-le")).text == page


def test_a_declaration_of_big5_does_not_spoil_gb() -> None:
    page = f'<meta charset="big5"><p>{TEXT}</p>'
    assert decode(page.encode("gb18030"), "big5").text == page


def test_a_late_or_wrong_declaration_is_ignored() -> None:
    page = "<!-- " + "x" * 5000 + f' --><meta charset="utf-8"><p>{TEXT}</p>'
    assert decode(page.encode("gb18030")).text == page


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_few_broken_bytes_cost_only_themselves(encoding: str) -> None:
    body = (TEXT * 20).encode(encoding)
    broken = body[:60] + b"\xff\xff" + body[60:]
    got = decode(broken)
    assert got.encoding == encoding
    assert got.text.count("党建") >= 19


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_page_cut_inside_a_character_keeps_its_encoding(encoding: str) -> None:
    body = (TEXT * 3).encode(encoding)[:-1]
    got = decode(body)
    assert got.encoding == encoding
    assert got.text.startswith(TEXT)


def test_any_bytes_decode_and_no_more_than_the_limit() -> None:
    assert decode(b"").text == ""
    assert decode(bytes(range(256)) * 4).text
    assert len(decode(b"a" * (MAX_BYTES + 10)).text) == MAX_BYTES


def test_the_bytes_go_along_only_where_they_are_just_the_text() -> None:
    body = TEXT.encode()
    assert decode(body).utf8 == body
    others = (codecs.BOM_UTF8 + body, TEXT.encode("gb18030"), body * 9 + body[:4])
    assert [decode(other).utf8 for other in others] == [None, None, None]


def test_common_characters_are_looked_for_beyond_a_long_stretch_of_markup() -> None:
    markup = "<body>" + "<li class='row'></li>" * 500
    assert decode((markup + TRADITIONAL * 9).encode("big5hkscs")).encoding == "big5"
    assert decode((markup + TEXT * 9).encode("gb18030")).encoding == "gb18030"


@pytest.mark.parametrize("shift", range(6))
def test_characters_may_stand_anywhere_beside_long_scripts(shift: int) -> None:
    script = "x" * (4000 - shift)
    page = f"{script}高新区€㐀{script}党建丂{'y' * 9000}㐂"
    got = decode(page.encode("gb18030"))
    assert (got.text, got.encoding) == (page, "gb18030")
