import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import docx
import lxml.etree
import pytest

from digest.briefing import BriefingError, chinese_number, to_pdf, write_docx
from digest.edition import edition_for
from digest.sample import sample_issue
from digest.word_layout import FILE_NAME, Layout
from store.config import Config, DigestSection, Office
from store.toml_file import TomlError

CONFIG = Config()
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def made(stories: int = 60, *, hostile: bool = False, config: Config = CONFIG) -> bytes:
    return write_docx(edition_for(sample_issue(stories=stories, hostile=hostile)), config)


def part(document: bytes, name: str) -> lxml.etree._Element:
    return lxml.etree.fromstring(zipfile.ZipFile(io.BytesIO(document)).read(name))


def text_of(document: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(document)).paragraphs)


def test_the_geometry_is_that_of_gb_t_9704() -> None:
    section = docx.Document(io.BytesIO(made())).sections[0]
    for value, wanted in (
        (section.page_width, 210),
        (section.page_height, 297),
        (section.top_margin, 37),
        (section.left_margin, 28),
        (section.right_margin, 26),
        (section.bottom_margin, 35),
    ):
        assert value is not None
        assert value.mm == pytest.approx(wanted, abs=0.02)


def test_twenty_two_lines_of_twenty_eight_characters_fit_exactly() -> None:
    document = made()
    grid = part(document, "word/document.xml").find(f".//{W}docGrid")
    assert grid is not None
    pitch = int(grid.get(f"{W}linePitch", "0"))
    assert 22 * pitch <= 225 / 25.4 * 1440 < 23 * pitch
    style = part(document, "word/styles.xml").find(f'.//{W}style[@{W}styleId="Normal"]')
    assert style is not None
    spacing = style.find(f".//{W}rPr/{W}spacing")
    assert spacing is not None
    wide = 16 + int(spacing.get(f"{W}val", "0")) / 20
    assert 28 * wide <= 156 / 25.4 * 72 < 29 * wide


def test_the_fonts_are_the_standards_and_have_fall_backs() -> None:
    table = part(made(), "word/fontTable.xml")
    fonts = {font.get(f"{W}name"): font.find(f"{W}altName") for font in table}
    for name in ("方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312", "宋体"):
        alternative = fonts[name]
        assert alternative is not None
        assert alternative.get(f"{W}val")


def test_page_numbers_are_outside_and_the_rule_is_red() -> None:
    document = made()
    assert part(document, "word/settings.xml").find(f"{W}evenAndOddHeaders") is not None
    for name, side in (("footer1", "right"), ("footer2", "left")):
        footer = part(document, f"word/{name}.xml")
        paragraph = footer.find(f".//{W}jc")
        assert paragraph is not None
        assert paragraph.get(f"{W}val") == side
        assert "".join(map(str, footer.itertext())).split() == ["—", "PAGE", "1", "—"]
    bottom = part(document, "word/document.xml").find(f".//{W}pBdr/{W}bottom")
    assert bottom is not None
    assert bottom.get(f"{W}color") == "FF0000"


@pytest.mark.parametrize(
    ("stories", "hostile"), [(0, False), (1, True), (60, False), (60, True), (500, True)]
)
def test_every_story_is_in_it_and_word_can_read_it(stories: int, hostile: bool) -> None:
    edition = edition_for(sample_issue(stories=stories, hostile=hostile))
    text = text_of(write_docx(edition, CONFIG))
    for story in edition.stories:
        assert f"{story.number}. {story.content['title']}" in text
    for words in ("未能覆盖", "贵阳样报（连接超时）"):
        assert words in text


def test_stories_of_one_event_lead_to_each_other() -> None:
    document = part(made(), "word/document.xml")
    anchors = [
        str(link.get(f"{W}anchor")) for link in document.iter(f"{W}hyperlink") if link.get(f"{W}anchor")
    ]
    assert len(anchors) == 2
    assert set(anchors) <= {mark.get(f"{W}name") for mark in document.iter(f"{W}bookmarkStart")}
    assert text_of(made()).count("同一事件另见：第") == 2


def test_links_lead_only_to_the_web_and_are_uris() -> None:
    relations = part(made(60, hostile=True), "word/_rels/document.xml.rels")
    targets = [str(r.get("Target")) for r in relations if r.get("TargetMode") == "External"]
    assert targets
    for target in targets:
        assert target.startswith(("http://", "https://"))
        assert not set(target) & set('<>"{}|\\^` ')


def test_headings_are_counted_in_chinese() -> None:
    assert [chinese_number(n) for n in (1, 10, 11, 20, 21, 30, 99)] == [
        "一",
        "十",
        "十一",
        "二十",
        "二十一",
        "三十",
        "九十九",
    ]
    text = text_of(made())
    assert "一、本周数字" in text
    assert "二、要闻" in text


def test_the_same_edition_gives_the_same_bytes() -> None:
    assert made(60, hostile=True) == made(60, hostile=True)


def test_a_long_name_of_the_paper_shrinks_to_one_line() -> None:
    office = Office(name="国家自主创新示范区核心区党的建设工作信息与动态摘编")
    document = write_docx(edition_for(sample_issue(Config(office=office), stories=1)), CONFIG)
    size = part(document, "word/document.xml").find(f".//{W}rPr/{W}sz")
    assert size is not None
    assert int(size.get(f"{W}val", "0")) / 2 * len(office.name) <= 156 / 25.4 * 72


def test_an_office_sets_margins_fonts_and_lines(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('margin_top = 30\nlines = 25\nbody_font = "宋体"\n', encoding="utf-8")
    document = made(1, config=Config(digest=DigestSection(templates=str(tmp_path))))
    section = docx.Document(io.BytesIO(document)).sections[0]
    assert section.top_margin is not None
    assert section.top_margin.mm == pytest.approx(30, abs=0.02)
    fonts = part(document, "word/fontTable.xml")
    assert "仿宋_GB2312" not in {font.get(f"{W}name") for font in fonts}


def test_a_mistyped_layout_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("lines = 22\nmargin_topp = 30\n", encoding="utf-8")
    with pytest.raises(TomlError, match=rf"{FILE_NAME}:2"):
        made(1, config=Config(digest=DigestSection(templates=str(tmp_path))))


def test_the_default_layout_leaves_the_standards_margins() -> None:
    assert (Layout().margin_right, Layout().margin_bottom) == (26, 35)


def test_without_libreoffice_the_word_is_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(BriefingError, match="install libreoffice-writer"):
        to_pdf(b"")


def test_a_failing_libreoffice_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\necho broken profile >&2\nexit 7\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(BriefingError, match=r"exit 7.*broken profile"):
        to_pdf(made(1))


@pytest.mark.skipif(not shutil.which("soffice") or not shutil.which("pdfinfo"), reason="no LibreOffice")
def test_the_pdf_is_a4_and_has_the_story() -> None:
    pdf = to_pdf(made(3))
    done = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True)
    assert b"595" in done.stdout
    assert b"A4" in done.stdout
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert "未能覆盖" in text
    assert not [
        line for line in text.splitlines() if line.startswith(("，", "。", "、", "；", "：", "）", "》", "”"))
    ]


@pytest.mark.skipif(not shutil.which("soffice") or not shutil.which("pdftotext"), reason="no LibreOffice")
def test_a_full_page_is_set_in_twenty_two_lines_of_twenty_eight_characters() -> None:
    issue = sample_issue(stories=0)
    issue.content |= {"notes": ["党" * 2000], "trend": []}
    pdf = to_pdf(write_docx(edition_for(issue), CONFIG))
    page = subprocess.run(
        ["pdftotext", "-f", "2", "-l", "2", "-", "-"], input=pdf, capture_output=True, check=True
    )
    lines = [line for line in page.stdout.decode().splitlines() if "党" in line]
    assert [len(line) for line in lines] == [28] * 22
