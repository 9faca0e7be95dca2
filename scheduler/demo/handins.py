"""Hand-ins for the drop folder: one article in each of the formats that colleagues send."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import TYPE_CHECKING

from scheduler.demo.newspapers import page_pdf
from scheduler.demo.reply import http_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.demo.articles import SampleArticle


def fill_folder(folder: Path, articles: Sequence[SampleArticle]) -> list[Path]:
    """Write the hand-ins into `folder` (made when missing) and return their paths; articles of one `file` share it.

    .txt is GB18030 with the headline in the first line, .html UTF-8, .docx, .pdf and .eml (base64, UTF-8) as usual.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_file: dict[str, list[SampleArticle]] = {}
    for article in articles:
        by_file.setdefault(article.file, []).append(article)
    return [_write(folder / name, members) for name, members in by_file.items()]


def _write(path: Path, members: list[SampleArticle]) -> Path:
    match path.suffix:
        case ".txt":
            path.write_bytes("\r\n\r\n".join(map(_as_text, members)).encode("gb18030"))
        case ".html":
            path.write_text(_as_html(members[0]), encoding="utf-8")
        case ".docx":
            _save_docx(path, members[0])
        case ".pdf":
            path.write_bytes(page_pdf(members[0].publisher, "03", members, advert=False))
        case _:
            path.write_bytes(_as_mail(members[0]))
    return path


def _head(article: SampleArticle) -> str:
    fields = [
        f"来源：{article.publisher}" if article.publisher else "",
        f"作者：{article.author}" if article.author else "",
        article.stamp("%Y-%m-%d"),
    ]
    return "　".join(part for part in fields if part)


def _as_text(article: SampleArticle) -> str:
    body = [f"　　{line}" for line in article.paragraphs]
    return "\r\n".join([article.title, _head(article), *body, ""])


def _as_html(article: SampleArticle) -> str:
    body = "\n".join(f"<p>　　{escape(line)}</p>" for line in article.paragraphs)
    return (
        f'<html><head><meta charset="utf-8"><title>{escape(article.title)}</title></head><body>\n'
        f"<h1>{escape(article.title)}</h1>\n<p>{escape(_head(article))}</p>\n{body}\n</body></html>\n"
    )


def _save_docx(path: Path, article: SampleArticle) -> None:
    import docx

    document = docx.Document()
    document.add_heading(article.title, level=1)
    document.add_paragraph(_head(article))
    for line in article.paragraphs:
        document.add_paragraph(line)
    document.save(str(path))


def _as_mail(article: SampleArticle) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "投稿人 <writer@example.org>"
    message["To"] = "编辑部 <desk@example.org>"
    message["Subject"] = f"来稿：{article.title}"
    message["Date"] = http_date(article.published)
    message.set_content(_as_text(article).replace("\r\n", "\n"), charset="utf-8", cte="base64")
    return message.as_bytes()
