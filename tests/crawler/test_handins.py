"""Files as staff hand them in, sound, odd and hostile; every one is built here."""

from __future__ import annotations

import io
import random
import struct
import time
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH

from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.items import ArticleItem
from crawler.pages.handins import Part, open_handin, read_part
from crawler.pages.reading import read_page, unread_parts
from store.fetched import FetchedPage
from tests.loopback import Office

TITLE = "赤岭高新区：把支部建在产业链上"
BODY = (
    "近日，赤岭高新区召开产业链党建工作推进会，总结上半年工作，部署下半年任务。",
    "会议指出，要把党的组织优势转化为发展优势，推动党建工作与企业生产经营同频共振。",
    "下一步，赤岭高新区将继续建强服务队伍，为企业发展提供坚强组织保证。",
)
TEXT = "\n".join(BODY)
HTML = (
    f"<html><head><meta charset='utf-8'><title>{TITLE}</title></head><body><h1>{TITLE}</h1>"
    f"<p>来源：赤岭日报 2025-03-18 10:30</p><div>{''.join(f'<p>{line}</p>' for line in BODY)}</div></body></html>"
)


def read(name: str, body: bytes) -> list[ArticleItem]:
    return [item for part in open_handin(name, body) for item in read_part(part)]


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def word(title: str = TITLE, style: str | None = "Title") -> bytes:
    document = docx.Document()
    if style:
        document.add_paragraph(title, style=style)
    else:
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.add_run(title).bold = True
    document.add_paragraph("来源：赤岭日报 作者：林丽 2025年3月18日")
    for line in BODY:
        document.add_paragraph(line)
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "党支部", "12个"
    document.add_paragraph("责任编辑：周安")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def mail(*attachments: tuple[str, bytes], text: str = TEXT, subject: str = TITLE) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@hc.example", "b@hc.example", subject
    message.set_content(text)
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def saved_page() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "<Saved by Blink>", TITLE
    message["Snapshot-Content-Location"] = "http://news.hc.example/2025/a.html"
    message.set_content(HTML, subtype="html")
    message["Content-Location"] = "http://news.hc.example/2025/a.html"
    message.make_related()
    message.add_related(b"\x89PNG....", maintype="image", subtype="png")
    return message.as_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_text_file_is_an_article_in_any_encoding(encoding: str) -> None:
    (item,) = read("a.txt", f"{TITLE}\n作者：林丽 2025-03-18\n{TEXT}".encode(encoding))
    assert (item.title, item.author, item.published_at, item.text) == (TITLE, "林丽", "2025-03-18", TEXT)


def test_a_text_without_title_gets_one_from_its_first_sentence() -> None:
    (item,) = read("a.txt", TEXT.encode())
    assert "title_from_text" in item.flags
    assert item.title.startswith("赤岭高新区召开产业链党建工作推进会")


@pytest.mark.parametrize("style", ["Title", "Heading 1", None])
def test_a_word_document_has_title_facts_text_and_tables(style: str | None) -> None:
    (item,) = read("a.docx", word(style=style))
    assert (item.title, item.publisher, item.author) == (TITLE, "赤岭日报", "林丽")
    assert (item.published_at, item.editor) == ("2025-03-18", "周安")
    assert item.text == TEXT + "\n党支部 | 12个"


def test_a_word_document_of_several_articles_is_cut_at_its_titles() -> None:
    document = docx.Document()
    for number in ("一", "二"):
        document.add_paragraph(f"{number}号园区党群服务中心启用运行", style="Heading 1")
        for line in BODY:
            document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    assert [item.title[0] for item in read("a.docx", out.getvalue())] == ["一", "二"]


def test_a_saved_page_is_read_under_its_own_address() -> None:
    (part,) = open_handin("a.mhtml", saved_page())
    assert (part.kind, part.url) == ("html", "http://news.hc.example/2025/a.html")
    (item,) = read_part(part)
    assert item.title == TITLE
    assert item.publisher == "赤岭日报"


def test_a_mail_is_its_text_or_its_attachments() -> None:
    (item,) = read("a.eml", mail())
    assert (item.title, item.text) == (TITLE, TEXT)
    parts = open_handin("b.eml", mail(("稿件.docx", word()), text="请查收附件"))
    assert [(part.name, part.kind) for part in parts] == [("b.eml/稿件.docx", "docx")]


def test_a_forwarded_subject_is_the_title_of_a_text_without_one() -> None:
    (item,) = read("a.eml", mail(subject="转发: Fwd: 赤岭高新区产业链党建"))
    assert item.title == "赤岭高新区产业链党建"


def test_an_archive_gives_all_its_parts_with_chinese_names() -> None:
    inner = packed({"内/稿件.txt": f"{TITLE}\n{TEXT}".encode()})
    files = {
        "a.docx": word(),
        "b.html": HTML.encode(),
        "内层.zip": inner,
        "__MACOSX/x": b"x",
        "c.png": b"\x89PNG\r\n",
    }
    parts = open_handin("稿件.zip", packed(files))
    assert [part.kind for part in parts] == ["docx", "html", "text", "image"]
    assert parts[2].name == "稿件.zip/内层.zip/稿件.txt"
    with pytest.raises(NotAnArticle, match="picture_only"):
        read_part(parts[3])


def test_names_written_by_chinese_windows_are_readable() -> None:
    body = packed({"abcd.txt": f"{TITLE}\n{TEXT}".encode()}).replace(
        b"abcd.txt", "稿件.txt".encode("gb18030")
    )
    assert [part.name for part in open_handin("a.zip", body)] == ["a.zip/稿件.txt"]


def test_a_subject_sent_as_raw_gb18030_is_readable() -> None:
    head = "From: a@hc.example\r\nSubject: 党建动态\r\nMIME-Version: 1.0\r\n\r\n".encode("gb18030")
    (part,) = open_handin("a.eml", head + TEXT.encode("gb18030"))
    assert part.title == "党建动态"
    assert read_part(part)[0].text == TEXT


@pytest.mark.parametrize("charset", ["\x87utf", "base64", "x" * 500, "utf-8\x00"])
def test_a_charset_that_is_none_does_no_harm(charset: str) -> None:
    head = f'From: a@hc.example\r\nSubject: =?{charset}?b?5YWa5bu6?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset="{charset}"\r\n\r\n'
    (part,) = open_handin("a.eml", head.encode("latin-1") + TEXT.encode())
    assert read_part(part)[0].text == TEXT


def test_a_broken_part_does_not_take_the_others_along() -> None:
    parts = open_handin("a.zip", packed({"a.docx": word()[:-400], "b.txt": f"{TITLE}\n{TEXT}".encode()}))
    assert [part.kind for part in parts] == ["unreadable", "text"]
    with pytest.raises(PageNotUnderstood, match="bad_archive"):
        read_part(parts[0])


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b.txt", "C:/x.txt", "..\\x.txt"]
)
def test_names_that_lead_out_of_the_archive_are_refused(name: str) -> None:
    with pytest.raises(PageNotUnderstood, match="bad_archive"):
        open_handin("a.zip", packed({name: TEXT.encode()}))


def test_a_symbolic_link_is_refused() -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(PageNotUnderstood, match="bad_archive"):
        open_handin("a.zip", out.getvalue())


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    begun = time.process_time()
    for body in (
        packed({"a.txt": b"0" * 40_000_000}),
        packed({f"{i}.txt": b"0" * 900_000 for i in range(300)}),
        packed({f"{i}.txt": b"x" for i in range(2_000)}),
        packed({"a.zip": packed({"b.zip": packed({"c.zip": packed({"d.txt": TEXT.encode()})})})}),
    ):
        with pytest.raises(PageNotUnderstood, match=r"too_large|too_deep"):
            open_handin("a.zip", body)
    assert time.process_time() - begun < 8


def test_a_size_that_is_a_lie_is_found_out() -> None:
    body = bytearray(packed({"a.txt": b"0" * 5_000_000}))
    directory = body.rfind(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 10)
    with pytest.raises(PageNotUnderstood, match=r"bad_archive|too_large"):
        read("a.zip", bytes(body))


def test_an_encrypted_archive_is_said_to_be_encrypted() -> None:
    body = bytearray(packed({"a.txt": TEXT.encode()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.find(mark) + place] |= 1
    with pytest.raises(PageNotUnderstood, match="encrypted"):
        open_handin("a.zip", bytes(body))


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_a_word_document_that_refers_outside_reads_nothing(declaration: str) -> None:
    xml = f"<?xml version='1.0'?>{declaration}<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    body = packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": xml.encode()})
    with pytest.raises(PageNotUnderstood, match="bad_archive"):
        read("a.docx", body)


def test_external_references_of_a_word_document_are_ignored(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("秘密", encoding="utf-8")
    relations = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="x/attachedTemplate" Target="{secret.as_uri()}" TargetMode="External"/></Relationships>'
    with zipfile.ZipFile(io.BytesIO(word())) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["word/_rels/settings.xml.rels"] = relations.encode()
    (item,) = read("a.docx", packed(files))
    assert item.title == TITLE
    assert "秘密" not in item.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"\x00" * 100, "empty"),
        (b"PK\x03\x04" + b"\x00" * 40, "bad_archive"),
        (b"Rar!\x1a\x07\x00" + b"x" * 100, "binary"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "binary"),
        (bytes(range(256)) * 8, "binary"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(PageError, match=reason):
        open_handin("a", body)


def mutated(body: bytes, rng: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice((1, 4, 30))):
        if not changed:
            break
        place = rng.randrange(len(changed))
        kind = rng.random()
        if kind < 0.5:
            changed[place] = rng.randrange(256)
        elif kind < 0.7:
            del changed[place : place + rng.randint(1, 200)]
        elif kind < 0.85:
            changed[place:place] = rng.randbytes(rng.randint(1, 60))
        else:
            changed[place : place + 4] = b"\xff\xff\xff\xff"
    return bytes(changed)


def test_two_hundred_mutated_files_give_articles_or_a_reason_word() -> None:
    rng = random.Random(4)
    sound = [
        word(),
        packed({"a.docx": word(), "b.txt": TEXT.encode(), "c.eml": mail()}),
        mail(("a.zip", packed({"a.html": HTML.encode()}))),
        saved_page(),
    ]
    outcomes: set[str] = set()
    begun = time.process_time()
    for round_ in range(200):
        body = mutated(sound[round_ % len(sound)], rng)
        try:
            parts = open_handin("a", body)
        except PageError as error:
            outcomes.add(error.reason)
            continue
        outcomes.update(_outcome(part) for part in parts)
    assert "ok" in outcomes
    assert "bad_archive" in outcomes
    assert time.process_time() - begun < 60


def _outcome(part: Part) -> str:
    try:
        return "ok" if read_part(part) else "nothing"
    except PageError as error:
        return error.reason


def test_the_sound_parts_of_an_archive_are_read_and_the_broken_ones_named() -> None:
    body = packed({"good.txt": f"{TITLE}\n\n{TEXT}".encode(), "bad.pdf": b"%PDF-1.4 nothing"})
    page = FetchedPage("file:inbox/a.zip", "handin", body, datetime(2026, 11, 20, tzinfo=UTC))
    assert [item.title for item in read_page(page)] == [TITLE]
    ((part, error),) = unread_parts(page)
    assert (part.url, part.body, error.reason) == (
        "file:inbox/a.zip!a.zip/bad.pdf",
        b"%PDF-1.4 nothing",
        "bad_pdf",
    )


def test_an_archive_handed_in_leaves_its_broken_part_in_quarantine(office: Office) -> None:
    path = office.folder / "a.zip"
    path.write_bytes(packed({"good.txt": f"{TITLE}\n\n{TEXT}".encode(), "bad.pdf": b"%PDF-1.4 nothing"}))
    added = office.run("parknews", "article", "add", str(path))
    assert added.returncode == 0, added.stderr
    assert "new article" in added.stdout
    shown = office.run("parknews", "article", "quarantine").stdout
    assert "bad_pdf" in shown
    assert "1 page(s) in quarantine" in shown
