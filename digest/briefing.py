"""The Word briefing (GB/T 9704 geometry) and the PDF made from it. The same edition and settings give the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from digest.counts import number
from digest.edition import Edition, EditionStory
from digest.story import SUMMARY_MARKS, web_link
from digest.trend import signed
from digest.word_layout import FALLBACKS, TWIPS_PER_POINT, Layout, load_layout, twips
from digest.word_package import fonts, half_points, package, text_box
from store.config import Config
from store.text import clean_line, clean_text

#: LibreOffice took 6.5 s on a slow machine; a hung one must not hold the delivery.
PDF_SECONDS = 120
_NUMERALS = "〇一二三四五六七八九十"
_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)

_GAP = '<w:snapToGrid w:val="0"/><w:spacing w:line="200" w:lineRule="exact"/>'
_CELL_MARGINS = '<w:tblCellMar><w:left w:w="20" w:type="dxa"/><w:right w:w="20" w:type="dxa"/></w:tblCellMar>'
#: 小标宋 is a heavy Song; the plain Song that takes its place must be bold.
_HEAVY = (
    '<match target="pattern"><test name="family"><string>方正小标宋简体</string></test>'
    '<edit name="weight" mode="assign"><const>bold</const></edit></match>'
)
#: What is known of a watched zone without stories.
WATCH_WORDS = {
    "none": "相关来源均已访问，未见报道。",
    "partial": "部分相关来源未能访问，其余未见报道。",
    "blind": "相关来源均未能访问，有无报道不详。",
}


class BriefingError(RuntimeError):
    """A PDF cannot be made; the text says why and what helps."""


@dataclass(slots=True)
class _Body:
    """The body so far and the addresses its links lead to."""

    layout: Layout
    parts: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def add(self, style: str, *runs: str, properties: str = "") -> None:
        self.parts.append(paragraph(style, *runs, properties=properties))

    def link(self, text: str, address: str) -> str:
        """Return a run that leads to `address`, or a plain one when that is no web address."""
        if not (target := web_link(address)) or len(target) > 2000:
            return run(text)
        if target not in self.targets:
            self.targets.append(target)
        return f'<w:hyperlink r:id="rIdL{self.targets.index(target) + 1}" w:history="1">{run(text)}</w:hyperlink>'


def write_docx(edition: Edition, config: Config) -> bytes:
    """Return the edition as a .docx. Raises store.toml_file.TomlError for an unusable `briefing.toml`."""
    body = _Body(load_layout(config))
    head = edition.content["masthead"]
    _red_head(body, head)
    _opening(body, edition)
    _numbers(body, edition)
    sections = [_Part("要闻", edition.headlines)] if edition.headlines else []
    sections += [_Part(section.title, section.stories) for section in edition.sections]
    place = 1
    for place, part in enumerate(sections, 2):
        _story_section(body, place, part)
    last = _ending(body, place + 1 if sections else 2, edition)
    body.parts.append(last.replace("</w:p>", _colophon(body.layout, head) + "</w:p>"))
    title = f"{head['name']}{head['label']}"
    return package(
        "".join(body.parts),
        body.targets,
        body.layout,
        title=title,
        author=head["unit"],
        made=edition.composed_at,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    title: str
    stories: tuple[EditionStory, ...]


def paragraph(style: str, *runs: str, properties: str = "") -> str:
    """Return one paragraph of the named style; `properties` come behind the style in the order of the schema."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{properties}</w:pPr>{"".join(runs)}</w:p>'


def run(text: str, properties: str = "") -> str:
    """Return one run; every text passes here, so nothing can break out of the XML."""
    inner = escape(clean_text(text).replace("\n", " "))
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{inner}</w:t></w:r>'


def see_also(item: EditionStory) -> Iterable[str]:
    """Return runs that lead to the other stories of the same event in this briefing; none where there are none."""
    for place, other in enumerate(item.same_event):
        yield run("；" if place else "同一事件另见：")
        anchor = f'<w:hyperlink w:anchor="story_{other.story_id}" w:history="1">'
        yield f"{anchor}{run(f'第{other.number}条')}</w:hyperlink>"
        yield run(f"（“{other.practice}”）")


def bookmark(item: EditionStory) -> str:
    """Return a mark that names the story, so that a form can be compared with the others and linked into."""
    return f'<w:bookmarkStart w:id="{item.number}" w:name="story_{item.story_id}"/><w:bookmarkEnd w:id="{item.number}"/>'


def chinese_number(value: int) -> str:
    """Return 1-99 in Chinese numerals, as headings are counted."""
    tens, ones = divmod(value, 10)
    if value <= 10:
        return _NUMERALS[value]
    return f"{_NUMERALS[tens] if tens > 1 else ''}十{_NUMERALS[ones] if ones else ''}"


def _red_head(body: _Body, head: Mapping[str, Any]) -> None:
    layout = body.layout
    red = f'<w:color w:val="{layout.red}"/>'
    width = layout.type_width * 72 / 25.4
    size = half_points(min(layout.name_size, width * 0.96 / max(1, len(head["name"]))))
    line = f'<w:snapToGrid w:val="0"/><w:spacing w:before="240" w:after="120" w:line="{size * 13}" w:lineRule="exact"/><w:jc w:val="center"/>'
    name = f'{fonts(layout, layout.name_font)}{red}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
    body.add("Normal", run(head["name"], name), properties=line)
    late = "　补发" if head["late"] else ""
    body.add("Normal", run(f"{head['label']}（{head['total']}）{late}"), properties='<w:jc w:val="center"/>')
    tab = f'<w:tabs><w:tab w:val="right" w:pos="{twips(layout.type_width)}"/></w:tabs>'
    rule = f'<w:pBdr><w:bottom w:val="single" w:sz="18" w:space="4" w:color="{layout.red}"/></w:pBdr>'
    body.add(
        "Normal", run(head["unit"]), "<w:r><w:tab/></w:r>", run(head["date_words"]), properties=rule + tab
    )
    body.add("Normal", properties='<w:snapToGrid w:val="0"/><w:spacing w:line="240" w:lineRule="exact"/>')


def _opening(body: _Body, edition: Edition) -> None:
    content, head = edition.content, edition.content["masthead"]
    if head["late"]:
        body.add(
            "Body", run(f"本期应于{head['due_words']}发出，因故补发，所载范围顺延至{head['date_words']}。")
        )
    if edition.choice:
        body.add("Body", run(f"本版按选择编选（{edition.choice}）；全期共{edition.whole}条。"))
    days = f"（共{head['days']}天）" if head["days"] > 8 else ""
    body.add("Body", run(content["overview"]), run(f"收录范围为{head['period']}{days}首次见到的报道。"))
    for note in content["notes"]:
        body.add("Body", run("编者按：", fonts(body.layout, body.layout.heading_font)), run(note))


def _numbers(body: _Body, edition: Edition) -> None:
    content = edition.content
    body.add("Heading1", run("一、本周数字"))
    counts, change = content["counts"], content["change"]
    heads = ["报道（条）", "高新区（个）", "媒体（家）", "转载（篇次）"]
    cells = [counts["stories"], counts["zones"], counts["outlets"], counts["reprints"]]
    if change["change"] is not None:
        heads += ["比上期（条）", "前四期平均（条）"]
        cells += [signed(change["change"]), number(change["mean"])]
    body.parts.append(_table(body.layout, [heads, [str(cell) for cell in cells]], first=1.0))
    if len(content["trend"]) > 1:
        whole = "（全期）" if edition.choice else ""
        body.add(
            "Body", run(f"近{len(content['trend'])}期报道数{whole}如下（条）："), properties="<w:keepNext/>"
        )
        labels = [point["label"].partition("年第")[2].removesuffix("期") for point in content["trend"]]
        values = [str(point["stories"]) for point in content["trend"]]
        body.parts.append(_table(body.layout, [["期号", *labels], ["条数", *values]], first=1.6))
    body.add("Normal", properties=_GAP)


def _cross(body: _Body, edition: Edition) -> None:
    """The table zone × theme. It stands behind the stories: kept whole, it would leave half of the first page empty."""
    table = edition.content["table"]
    rows = [["园区", *(column["short"] for column in table["columns"]), "合计"]]
    rows += [
        [row["zone"], *(str(cell or "") for cell in row["cells"]), str(row["total"])] for row in table["rows"]
    ]
    totals = [str(column["count"]) for column in table["columns"]]
    rows.append(["各主题条数", *totals, str(edition.content["counts"]["stories"])])
    body.add("Body", run("单位为条；一条报道可属多个主题。"), properties="<w:keepNext/>")
    body.parts.append(_table(body.layout, rows, first=2.6))
    body.add("Normal", properties=_GAP)


def _table(layout: Layout, rows: Sequence[Sequence[str]], first: float) -> str:
    """A table over the type area; the first column is `first` times as wide as the others, the first row repeats."""
    width = twips(layout.type_width)
    columns = len(rows[0])
    other = int(width / (columns - 1 + first))
    widths = [width - other * (columns - 1), *[other] * (columns - 1)]
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    size = half_points(10.5 if columns <= 9 else 9)
    made = "".join(
        _row(row, widths, size, head=place == 0, last=place == len(rows) - 1)
        for place, row in enumerate(rows)
    )
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/>{_CELL_MARGINS}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{made}</w:tbl>'
    )


def _row(row: Sequence[str], widths: Sequence[int], size: int, *, head: bool, last: bool) -> str:
    """A row that stays on the page of the next one, unless it is the last."""
    keep = "" if last else "<w:keepNext/>"
    look = f'{"<w:b/>" if head else ""}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f"{paragraph('Cell', run(text, look), properties=keep)}</w:tc>"
        for text, width in zip(row, widths, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{cells}</w:tr>"


def _story_section(body: _Body, place: int, part: _Part) -> None:
    body.add("Heading1", run(f"{chinese_number(place)}、{part.title}"))
    for item in part.stories:
        story = item.content
        body.add("Heading2", bookmark(item), run(f"{item.number}. {story['title']}"))
        if story["summary"]:
            body.add("Body", run(story["summary"] + SUMMARY_MARKS[story["summary_by"]]))
        if story["note"]:
            body.add("Body", run("按语：", fonts(body.layout, body.layout.heading_font)), run(story["note"]))
        body.add("Source", *_source(body, item))


def _source(body: _Body, item: EditionStory) -> Iterable[str]:
    story = item.content
    yield run(f"〔{zone_words(story)}〕")
    if story["figures"]:
        yield run(f"数据：{'；'.join(story['figures'])}。")
    if story["practices"]:
        yield run(f"做法：{'、'.join(story['practices'])}。")
    if earlier := story["follow_up"]:
        yield run(f"后续：前期见{earlier['label']}《{earlier['title']}》。")
    if item.same_event:
        yield from see_also(item)
        yield run("。")
    yield run("来源：")
    yield body.link(story["publisher"] or "不详", story["url"])
    yield run(f"，{day_words(story)}")
    if reprints := story["reprints"]:
        yield run(
            f"，另有{len(reprints)}家转载（{'、'.join(copy['publisher'] for copy in reprints[:5])}{'等' * (len(reprints) > 5)}）"
        )
    yield run("。")


def zone_words(story: Mapping[str, Any]) -> str:
    """Return the zones of a story in one phrase."""
    names = [zone["name"] for zone in story["zones"]]
    if not names:
        return "园区待核"
    return "、".join(names[:3]) + (f"等{len(names)}个高新区" if len(names) > 3 else "")


def day_words(story: Mapping[str, Any]) -> str:
    """Return 2026年11月20日, or that the day is not known."""
    if not story["date"]:
        return "日期不详"
    year, month, day = map(int, story["date"].split("-"))
    return f"{year}年{month}月{day}日"


def _ending(body: _Body, place: int, edition: Edition) -> str:
    """Add the one-line list, corrections and gaps; return the last paragraph, which the colophon is anchored to."""
    if edition.briefs:
        body.add("Heading1", run(f"{chinese_number(place)}、一句话信息"))
        place += 1
        for section in edition.briefs:
            body.add(
                "Body",
                run(f"〔{section.title}〕", fonts(body.layout, body.layout.title_font)),
                properties="<w:keepNext/>",
            )
            for item in section.stories:
                body.add("Body", *_brief(body, item))
    if not edition.stories:
        words = "所选范围内本期没有报道。" if edition.choice and edition.whole else "本期没有收录到报道。"
        body.add("Body", run(words))
    if edition.content["table"]["rows"]:
        body.add("Heading1", run(f"{chinese_number(place)}、园区与主题分布"))
        place += 1
        _cross(body, edition)
    if edition.content["errata"]:
        body.add("Heading1", run(f"{chinese_number(place)}、勘误"))
        place += 1
        for text in edition.content["errata"]:
            body.add("Body", run(text))
    body.add("Heading1", run(f"{chinese_number(place)}、未能覆盖"))
    lines = list(gap_lines(edition.content["gaps"]))
    for line in lines[:-1]:
        body.add("Body", run(line))
    return paragraph("Body", run(lines[-1]))


def _brief(body: _Body, item: EditionStory) -> Iterable[str]:
    story = item.content
    yield bookmark(item)
    yield run(f"{item.number}. {story['title']}（{zone_words(story)}，")
    yield body.link(story["publisher"] or "来源不详", story["url"])
    yield run(f"，{day_words(story)}）")
    yield from see_also(item)


def gap_lines(gaps: Mapping[str, Any]) -> Iterable[str]:
    """Return what could not be covered, a sentence a line."""
    yield f"本期应访问来源{gaps['sources']}个，实际访问到{gaps['looked']}个。"
    if gaps["failed"]:
        yield (
            "未能访问："
            + "、".join(f"{gap['publisher']}（{gap['reason']}）" for gap in gaps["failed"])
            + "。"
        )
    if gaps["partial"]:
        yield "多次访问失败：" + "、".join(gap["publisher"] for gap in gaps["partial"]) + "。"
    if gaps["silent"]:
        yield (
            "长期没有更新："
            + "、".join(f"{gap['publisher']}（{gap['days']}天）" for gap in gaps["silent"])
            + "。"
        )
    for gap in gaps["watch"]:
        yield f"关注园区{gap['zone']}：{WATCH_WORDS[gap['status']]}"
    if not (gaps["failed"] or gaps["partial"] or gaps["silent"] or gaps["watch"]):
        yield "各来源访问正常。"


def _colophon(layout: Layout, head: Mapping[str, Any]) -> str:
    """版记 at the foot of the page it is anchored on: thick rules outside, thin ones between, text one character in."""
    indent = round(layout.number_size * TWIPS_PER_POINT)
    width = twips(layout.type_width)
    texts = [f"{label}：{head[key]}" for label, key in (("报", "report_to"), ("送", "send_to")) if head[key]]
    made = [
        paragraph("Colophon", run("\u3000" + text), properties=_rule("top", 6 if place else 8))
        for place, text in enumerate(texts)
    ]
    tabs = f'<w:tabs><w:tab w:val="right" w:pos="{width - indent}"/></w:tabs>'
    last = (run("\u3000" + head["unit"]), "<w:r><w:tab/></w:r>", run(f"{head['date_words']}编发"))
    made.append(paragraph("Colophon", *last, properties=_rule("top", 6 if texts else 8, "bottom") + tabs))
    fitting = (width - indent) // indent
    lines = 1 + sum(-(-(len(text) + 1) // fitting) for text in texts)
    return text_box("".join(made), width, lines * layout.line_pitch + 8 * TWIPS_PER_POINT)


def _rule(side: str, size: int, other: str = "") -> str:
    rules = f'<w:{side} w:val="single" w:sz="{size}" w:space="1" w:color="auto"/>'
    rules += f'<w:{other} w:val="single" w:sz="8" w:space="1" w:color="auto"/>' if other else ""
    return f"<w:pBdr>{rules}</w:pBdr>"


def _font_rules(folder: Path) -> Path:
    """Rules that give a machine without the standard's fonts its nearest ones: Song for Song, black for black."""
    rules = "".join(
        f'<alias binding="same"><family>{escape(name)}</family><prefer>'
        f"{''.join(f'<family>{escape(other)}</family>' for other in others.split(';'))}</prefer></alias>"
        for name, others in FALLBACKS.items()
    )
    path = folder / "fonts.conf"
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>{rules}{_HEAVY}'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include></fontconfig>',
        encoding="utf-8",
    )
    return path


def to_pdf(docx: bytes) -> bytes:
    """Return the briefing as PDF by LibreOffice. Raises BriefingError when it is not there, fails or takes too long."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise BriefingError(
            "no LibreOffice on this machine: install libreoffice-writer, or send the Word file"
        )
    with tempfile.TemporaryDirectory(prefix="parknews-pdf-") as folder:
        source = Path(folder) / "briefing.docx"
        source.write_bytes(docx)
        command = [
            program,
            f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            folder,
            str(source),
        ]
        environment = os.environ | {"FONTCONFIG_FILE": str(_font_rules(Path(folder)))}
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, timeout=PDF_SECONDS, check=False, env=environment
            )
        except subprocess.TimeoutExpired as error:
            raise BriefingError(f"LibreOffice did not finish within {PDF_SECONDS} s") from error
        except OSError as error:
            raise BriefingError(f"LibreOffice cannot be started: {error.strerror}") from error
        made = source.with_suffix(".pdf")
        if done.returncode or not made.is_file():
            words = clean_line(done.stderr.decode("utf-8", "replace"))[:300]
            raise BriefingError(f"LibreOffice made no PDF (exit {done.returncode}): {words}")
        return made.read_bytes()
