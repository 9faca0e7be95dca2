"""ZIP archives from outside, opened within limits; nothing is written to disk."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from crawler.exceptions import PageNotUnderstood

#: Limits of one archive: a month of page PDFs in one ZIP has about 100 files and 200 MB.
MAX_FILES = 400
MAX_FILE_BYTES = 64_000_000
MAX_TOTAL_BYTES = 256_000_000
#: Text packs 3:1 to 20:1, repetitive XML of office files up to 100:1; bombs begin at 1,000:1.
MAX_RATIO = 250
#: What the archive modules raise for broken files, those of every method of packing included.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ValueError, OSError, EOFError, OverflowError,
    NotImplementedError, RuntimeError, IndexError, TypeError,
)  # fmt: skip
#: Below this size the ratio says nothing.
_SMALL = 1_000_000
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|~\$|\._)", re.IGNORECASE)


def open_zip(body: bytes) -> zipfile.ZipFile:
    """Return the opened archive. Raises PageNotUnderstood("bad_archive", "encrypted" or "too_large")."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        entries = archive.infolist()
    except _BROKEN as error:
        raise PageNotUnderstood("bad_archive", f"{type(error).__name__}: {error}"[:200]) from error
    if len(entries) > MAX_FILES * 4:
        raise PageNotUnderstood("too_large", f"{len(entries)} files")
    for entry in entries:
        _check_entry(entry)
    total = sum(entry.file_size for entry in entries)
    if total > MAX_TOTAL_BYTES:
        raise PageNotUnderstood("too_large", f"{total} bytes unpacked")
    if total > _SMALL and total > MAX_RATIO * max(1, len(body)):
        raise PageNotUnderstood("too_large", "packed beyond the limit")
    return archive


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/") or "\x00" in name:
        raise PageNotUnderstood("bad_archive", "a name leads out of the archive")
    if (entry.external_attr >> 16) & 0o170000 == 0o120000:
        raise PageNotUnderstood("bad_archive", "a symbolic link")
    if entry.flag_bits & 0x1:
        raise PageNotUnderstood("encrypted", file_name(entry)[:100])
    if entry.file_size > MAX_FILE_BYTES:
        raise PageNotUnderstood("too_large", file_name(entry)[:100])
    if entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        raise PageNotUnderstood("too_large", "packed beyond the limit")


def read_entry(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return one file's bytes. Raises PageNotUnderstood("too_large") beyond `limit`, ("bad_archive") when broken."""
    try:
        with archive.open(name) as stream:
            found = stream.read(limit + 1)
    except KeyError as error:
        raise PageNotUnderstood("bad_archive", "a file is missing") from error
    except _BROKEN as error:
        raise PageNotUnderstood("bad_archive", f"{type(error).__name__}: {error}"[:200]) from error
    if len(found) > limit:
        raise PageNotUnderstood("too_large", f"more than {limit} bytes")
    return found


def files_in(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of an archive's files in its order, system litter left out. Raises as open_zip does."""
    archive = open_zip(body)
    with archive:
        wanted = [e for e in archive.infolist() if not e.is_dir() and not _JUNK.search(e.filename)]
        if len(wanted) > MAX_FILES:
            raise PageNotUnderstood("too_large", f"{len(wanted)} files")
        left = MAX_TOTAL_BYTES
        for entry in wanted:
            content = read_entry(archive, entry, min(MAX_FILE_BYTES, left))
            left -= len(content)
            yield file_name(entry), content


def file_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; names without the UTF-8 flag are GB18030, as Chinese Windows writes them."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename
