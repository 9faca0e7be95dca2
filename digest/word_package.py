"""The parts of a .docx that do not depend on an issue: styles, fonts, grid, footers, and the zip with fixed times."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from digest.word_layout import FALLBACKS, TWIPS_PER_POINT, Layout, twips
from store.text import clean_line

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NAMESPACES = f'xmlns:w="{W}" xmlns:r="{R}"'
_WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_WPS = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
_DRAWING = f'xmlns:wp="{_WP}" xmlns:a="{_A}" xmlns:wps="{_WPS}"'
#: English metric units, in which drawings are measured, to a twip.
_EMU = 635
#: The family Word and LibreOffice choose a substitute from.
_FAMILIES = {"黑体": "swiss", "楷体_GB2312": "script"}
_TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PARTS = ("document.main", "styles", "settings", "fontTable", "footer", "footer")
_NAMES = ("document", "styles", "settings", "fontTable", "footer1", "footer2")
#: The only time a zip can hold that needs no clock.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def package(
    body: str, targets: Sequence[str], layout: Layout, *, title: str, author: str, made: datetime
) -> bytes:
    """Return the .docx with `body` (the XML inside w:body) and external links rIdL1… to `targets`; same input, same bytes."""
    section = _section(layout)
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            ("officeDocument", "word/document.xml", R),
            (
                "core-properties",
                "docProps/core.xml",
                "http://schemas.openxmlformats.org/package/2006/relationships/metadata",
            ),
        ),
        "docProps/core.xml": _core(title, author, made),
        "word/document.xml": f"{_HEAD}<w:document {_NAMESPACES} {_DRAWING}><w:body>{body}{section}</w:body></w:document>",
        "word/_rels/document.xml.rels": _document_relations(targets),
        "word/styles.xml": _styles(layout),
        "word/settings.xml": _settings(),
        "word/fontTable.xml": _fonts(layout),
        "word/footer1.xml": _footer(layout, "right"),
        "word/footer2.xml": _footer(layout, "left"),
    }
    return _zipped(parts)


def _zipped(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            archive.writestr(entry, text.encode("utf-8"))
    return out.getvalue()


def _content_types() -> str:
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{_TYPES}.{part}+xml"/>'
        for part, name in zip(_PARTS, _NAMES, strict=True)
    )
    return (
        f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f"{overrides}"
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        "</Types>"
    )


def _relations(*links: tuple[str, str, str]) -> str:
    items = "".join(
        f'<Relationship Id="rId{n}" Type="{base}/{kind}" Target="{target}"/>'
        for n, (kind, target, base) in enumerate(links, 1)
    )
    return f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{items}</Relationships>'


def _document_relations(targets: Sequence[str]) -> str:
    own = _relations(
        ("styles", "styles.xml", R),
        ("settings", "settings.xml", R),
        ("fontTable", "fontTable.xml", R),
        ("footer", "footer1.xml", R),
        ("footer", "footer2.xml", R),
    )
    outside = "".join(
        f'<Relationship Id="rIdL{n}" Type="{R}/hyperlink" Target={quoteattr(_uri(target))} TargetMode="External"/>'
        for n, target in enumerate(targets, 1)
    )
    return own.replace("</Relationships>", outside + "</Relationships>")


def _uri(address: str) -> str:
    """Word calls the file broken when a target is no URI: everything unusual is percent-encoded."""
    return quote(address, safe="%/:=&?~#+!$,;'@()*")


def _core(title: str, author: str, made: datetime) -> str:
    moment = made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{_HEAD}<cp:coreProperties"
        ' xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(clean_line(title))}</dc:title><dc:creator>{escape(clean_line(author))}</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified>'
        "</cp:coreProperties>"
    )


def _section(layout: Layout) -> str:
    """A4, the type area by its margins, the grid of lines and characters; the footer's text lies 7 mm below the type area."""
    footer = twips(layout.margin_bottom - 7) - round(layout.number_size * 1.2 * TWIPS_PER_POINT)
    return (
        '<w:sectPr><w:footerReference w:type="default" r:id="rId4"/><w:footerReference w:type="even" r:id="rId5"/>'
        f'<w:pgSz w:w="{twips(layout.page_width)}" w:h="{twips(layout.page_height)}"/>'
        f'<w:pgMar w:top="{twips(layout.margin_top)}" w:right="{twips(layout.margin_right)}"'
        f' w:bottom="{twips(layout.margin_bottom)}" w:left="{twips(layout.margin_left)}"'
        f' w:header="851" w:footer="{max(0, footer)}" w:gutter="0"/>'
        f'<w:docGrid w:type="lines" w:linePitch="{layout.line_pitch}" w:charSpace="{layout.char_space}"/></w:sectPr>'
    )


def _fonts(layout: Layout) -> str:
    fonts = (layout.name_font, layout.heading_font, layout.title_font, layout.body_font, layout.number_font)
    chinese = "".join(
        f"<w:font w:name={quoteattr(name)}><w:altName w:val={quoteattr(FALLBACKS.get(name, FALLBACKS['宋体']))}/>"
        f'<w:charset w:val="86"/><w:family w:val="{_FAMILIES.get(name, "roman")}"/><w:pitch w:val="variable"/></w:font>'
        for name in dict.fromkeys(fonts)
    )
    latin = f'<w:font w:name={quoteattr(layout.latin_font)}><w:charset w:val="00"/><w:family w:val="roman"/></w:font>'
    return f"{_HEAD}<w:fonts {_NAMESPACES}>{latin}{chinese}</w:fonts>"


def _settings() -> str:
    return (
        f'{_HEAD}<w:settings {_NAMESPACES}><w:zoom w:percent="100"/><w:evenAndOddHeaders/>'
        '<w:characterSpacingControl w:val="compressPunctuation"/>'
        '<w:compat><w:useFELayout/><w:compatSetting w:name="compatibilityMode"'
        ' w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>'
        '<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>'
    )


def text_box(paragraphs: str, width: int, height: int) -> str:
    """Return a run with a box of `width` by `height` twips at the foot of the type area; text keeps above it.

    A drawing, because LibreOffice puts frames and floating tables as wide as the type area into the flow of text.
    """
    size = f'cx="{width * _EMU}" cy="{height * _EMU}"'
    return (
        '<w:r><w:drawing><wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="2" behindDoc="0"'
        ' locked="0" layoutInCell="1" allowOverlap="0"><wp:simplePos x="0" y="0"/>'
        '<wp:positionH relativeFrom="margin"><wp:align>left</wp:align></wp:positionH>'
        '<wp:positionV relativeFrom="margin"><wp:align>bottom</wp:align></wp:positionV>'
        f'<wp:extent {size}/><wp:effectExtent l="0" t="0" r="0" b="0"/><wp:wrapTopAndBottom/><wp:docPr id="1" name="版记"/>'
        f'<wp:cNvGraphicFramePr/><a:graphic><a:graphicData uri="{_WPS}"><wps:wsp><wps:cNvSpPr txBox="1"/>'
        f'<wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        f"<a:noFill/><a:ln><a:noFill/></a:ln></wps:spPr><wps:txbx><w:txbxContent>{paragraphs}</w:txbxContent></wps:txbx>"
        '<wps:bodyPr wrap="square" lIns="0" tIns="0" rIns="0" bIns="0" anchor="b"><a:noAutofit/></wps:bodyPr>'
        "</wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></w:r>"
    )


def fonts(layout: Layout, name: str) -> str:
    """Return the run property that sets a Chinese font and the Latin one beside it."""
    latin = quoteattr(layout.latin_font)
    return f"<w:rFonts w:ascii={latin} w:hAnsi={latin} w:cs={latin} w:eastAsia={quoteattr(name)}/>"


def half_points(points: float) -> int:
    """Return a font size as Word keeps it."""
    return round(points * 2)


def _styles(layout: Layout) -> str:
    size, small = half_points(layout.body_size), half_points(layout.number_size)
    line = f'<w:spacing w:before="0" w:after="0" w:line="{layout.line_pitch}" w:lineRule="exact"/>'
    indent = f'<w:ind w:firstLineChars="200" w:firstLine="{round(layout.body_size * 2 * TWIPS_PER_POINT)}"/>'
    keep = "<w:keepNext/><w:keepLines/>"
    made = "".join(
        (
            _style("Body", "正文文字", f'{indent}<w:jc w:val="both"/>', ""),
            _style(
                "Heading1",
                "heading 1",
                f'{keep}{indent}<w:outlineLvl w:val="0"/>',
                fonts(layout, layout.heading_font),
            ),
            _style(
                "Heading2",
                "heading 2",
                f'{keep}{indent}<w:outlineLvl w:val="1"/>',
                fonts(layout, layout.title_font) + "<w:b/>",
            ),
            _style(
                "Source",
                "出处",
                indent,
                f'{fonts(layout, layout.title_font)}<w:sz w:val="{small}"/><w:szCs w:val="{small}"/>',
            ),
            _style(
                "Cell",
                "表格文字",
                '<w:snapToGrid w:val="0"/><w:spacing w:line="320" w:lineRule="exact"/><w:jc w:val="center"/>',
                '<w:spacing w:val="0"/>',
            ),
            _style("Colophon", "版记", "", f'<w:sz w:val="{small}"/><w:szCs w:val="{small}"/>'),
        )
    )
    return (
        f"{_HEAD}<w:styles {_NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr>{fonts(layout, layout.body_font)}"
        f'<w:kern w:val="2"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/><w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
        "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/>'
        f'<w:pPr><w:widowControl w:val="0"/><w:kinsoku/><w:overflowPunct/>{line}<w:jc w:val="both"/></w:pPr>'
        f'<w:rPr><w:spacing w:val="{layout.spacing}"/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority w:val="99"/>'
        '<w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/>'
        '<w:left w:w="40" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="40" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
        f"{made}</w:styles>"
    )


def _style(key: str, name: str, paragraph: str, run: str) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/><w:qFormat/>'
        f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )


def _footer(layout: Layout, side: str) -> str:
    """— 1 — in 宋体, one character in from the outer edge: odd pages right, even pages left."""
    run = (
        f'<w:rPr>{fonts(layout, layout.number_font)}<w:sz w:val="{half_points(layout.number_size)}"/></w:rPr>'
    )
    space = round(layout.number_size * TWIPS_PER_POINT)
    field = (
        f'<w:r>{run}<w:fldChar w:fldCharType="begin"/></w:r><w:r>{run}<w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
        f'<w:r>{run}<w:fldChar w:fldCharType="separate"/></w:r><w:r>{run}<w:t>1</w:t></w:r><w:r>{run}<w:fldChar w:fldCharType="end"/></w:r>'
    )
    return (
        f'{_HEAD}<w:ftr {_NAMESPACES}><w:p><w:pPr><w:snapToGrid w:val="0"/><w:spacing w:line="240" w:lineRule="auto"/>'
        f'<w:ind w:{side}="{space}"/><w:jc w:val="{side}"/></w:pPr><w:r>{run}<w:t xml:space="preserve">— </w:t></w:r>{field}'
        f'<w:r>{run}<w:t xml:space="preserve"> —</w:t></w:r></w:p></w:ftr>'
    )
