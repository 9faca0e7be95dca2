"""PDFs that were damaged or made to hurt their reader."""

from __future__ import annotations

import io
import random
import zlib

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from tests.newspaper_pages.typeset import SONG, fonts


def encrypted() -> bytes:
    """Return a PDF that needs a password."""
    fonts()
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=StandardEncryption("secret", ownerPassword="owner", strength=128))
    canvas.setFont(SONG, 12)
    canvas.drawString(50, 700, "需要密码才能阅读")
    canvas.save()
    return out.getvalue()


def many_pages(count: int) -> bytes:
    """Return a PDF of `count` pages with a line each."""
    fonts()
    out = io.BytesIO()
    canvas = Canvas(out)
    for number in range(count):
        canvas.setFont(SONG, 12)
        canvas.drawString(50, 700, f"第{number}页的一行文字")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def many_objects(count: int) -> bytes:
    """Return one page of `count` lines, boxes and letters."""
    fonts()
    rng = random.Random(7)
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(1000, 1400))
    for number in range(count):
        x, y = rng.uniform(0, 950), rng.uniform(0, 1350)
        if number % 3 == 0:
            canvas.rect(x, y, rng.uniform(1, 300), rng.uniform(1, 300))
        elif number % 3 == 1:
            canvas.line(x, y, x + rng.uniform(0, 300), y)
        else:
            canvas.setFont(SONG, rng.choice((8, 9, 20)))
            canvas.drawString(x, y, rng.choice("高新区党建工作会议的是在了"))
    canvas.save()
    return out.getvalue()


def stream_bomb(megabytes: int) -> bytes:
    """Return a page whose content stream grows to `megabytes` when it is inflated."""
    packer = zlib.compressobj(9)
    piece = b"0 0 m 9 9 l S\n" * 75_000
    stream = b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()
    return raw_pdf(stream, b"/Filter /FlateDecode")


def nested_bomb(megabytes: int) -> bytes:
    """Return the same inflated twice."""
    inner = zlib.compress(zlib.compress(b" " * megabytes * 1_000_000, 9), 9)
    return raw_pdf(inner, b"/Filter [/FlateDecode /FlateDecode]")


def raw_pdf(stream: bytes, entries: bytes = b"") -> bytes:
    """Return a PDF of one page with the given content stream."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1000 1400] /Contents 4 0 R /Resources << >> >>",
        b"<< /Length "
        + str(len(stream)).encode()
        + b" "
        + entries
        + b" >>\nstream\n"
        + stream
        + b"\nendstream",
    ]
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.5\n")
    for number, part in enumerate(parts, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + part + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def mutant(whole: bytes, seed: int) -> bytes:
    """Return the PDF with some bytes changed, cut out or repeated."""
    rng = random.Random(seed)
    body = bytearray(whole)
    for _ in range(rng.choice((1, 3, 10, 60))):
        at = rng.randrange(len(body))
        kind = rng.randrange(4)
        if kind == 0:
            body[at] = rng.randrange(256)
        elif kind == 1:
            del body[at : at + rng.choice((1, 20, 400))]
        elif kind == 2:
            body[at:at] = body[at : at + rng.choice((1, 30, 900))]
        else:
            body[at : at + 4] = rng.choice((b"9999", b"-1 0", b"obj ", b"<<<<", b"%%%%"))
    return bytes(body[: rng.choice((len(body), len(body), max(2, len(body) // 2)))])
