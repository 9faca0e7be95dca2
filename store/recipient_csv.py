"""Recipients as a CSV file, as spreadsheets write it: in and out, every fault with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from store.config import RecipientEntry
from store.recipients import RecipientError, add_recipient, find_recipient, list_recipients, normalise_address
from store.suppressions import is_remembered

COLUMNS = ("address", "name", "zones", "themes", "provinces", "channels", "word", "send_empty")
_LISTS = ("zones", "themes", "provinces", "channels")
_CHINESE = {
    "邮箱": "address", "邮件地址": "address", "电子邮箱": "address", "姓名": "name", "名称": "name", "高新区": "zones",
    "主题": "themes", "省份": "provinces", "渠道": "channels", "附简报": "word", "空期也发": "send_empty",
}  # fmt: skip
_YES = frozenset({"1", "true", "yes", "y", "是", "对", "√"})
_NO = frozenset({"", "0", "false", "no", "n", "否"})
#: Spreadsheets run a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MAX_BYTES, MAX_ERRORS = 10_000_000, 50


class ImportFailed(RecipientError):
    """A file with faults; nothing of it was taken over. `errors` are lines `FILE:LINE: what is wrong`."""

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        super().__init__("\n".join(errors))


def import_csv(
    session: Session, content: bytes, name: str, now: datetime, who: str
) -> tuple[list[str], list[str]]:
    """Add the recipients of a file in UTF-8 or GB18030; returns (added, already there) addresses.

    The first line names the columns, in English or Chinese; lists within a cell are parted by `;` or `、`. All or nothing:
    raises ImportFailed with every fault (the caller's transaction then rolls back).
    """
    errors: list[str] = []
    entries = list(_read_entries(content, name, errors))
    known = []
    for line, entry in entries:
        row = find_recipient(session, entry.address)
        if row is not None and row.active:
            known.append(entry.address)
        elif row is None and is_remembered(session, entry.address):
            errors.append(f"{name}:{line}: {entry.address} was erased on request; take the line out")
    if errors:
        raise ImportFailed(errors[:MAX_ERRORS])
    added = [entry for _, entry in entries if entry.address not in set(known)]
    for entry in added:
        add_recipient(session, entry, now, who)
    return [entry.address for entry in added], known


def _read_entries(content: bytes, name: str, errors: list[str]) -> Iterator[tuple[int, RecipientEntry]]:
    reader = csv.reader(io.StringIO(_decode(content, name), newline=""))
    columns: list[str] | None = None
    seen: dict[str, int] = {}
    for line, cells in _rows(reader, name, errors):
        if columns is None:
            columns = _read_header(cells, name, line)
            continue
        try:
            entry = _read_entry(dict(zip(columns, cells, strict=False)), len(cells) > len(columns))
        except RecipientError as error:
            errors.append(f"{name}:{line}: {error}")
            continue
        if entry.address in seen:
            errors.append(
                f"{name}:{line}: {entry.address} already stands in line {seen[entry.address]}; keep one"
            )
            continue
        seen[entry.address] = line
        yield line, entry
    if columns is None:
        errors.append(f"{name}:1: the file is empty; its first line names the columns: {','.join(COLUMNS)}")


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise ImportFailed([f"{name}: larger than {MAX_BYTES // 1_000_000} MB; split it"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ImportFailed([f"{name}:{line}: neither UTF-8 nor GB18030; save it as CSV UTF-8"]) from error


def _rows(reader: Iterator[list[str]], name: str, errors: list[str]) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            errors.append(f"{name}:{reader.line_num}: {error}")  # type: ignore[attr-defined]
            return
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]  # type: ignore[attr-defined]


def _read_header(cells: list[str], name: str, line: int) -> list[str]:
    columns = [_CHINESE.get(cell, cell.lower()) for cell in cells]
    wrong = [
        cell
        for cell, column in zip(cells, columns, strict=True)
        if column not in COLUMNS or columns.count(column) > 1
    ]
    if wrong:
        raise ImportFailed(
            [f"{name}:{line}: column {wrong[0][:40]!r}; use each of {','.join(COLUMNS)} at most once"]
        )
    if "address" not in columns:
        raise ImportFailed([f"{name}:{line}: no column address; the first line names the columns"])
    return columns


def _read_entry(cells: dict[str, str], too_many: bool) -> RecipientEntry:
    if too_many:
        raise RecipientError('more cells than columns; put a cell that holds a comma in "…"')
    plain = {key: _unquoted(value) for key, value in cells.items()}
    return RecipientEntry(
        address=normalise_address(plain.get("address", "")),
        name=plain.get("name", ""),
        word=_flag(plain, "word"),
        send_empty=_flag(plain, "send_empty"),
        **{key: _split(plain.get(key, "")) for key in _LISTS},
    )


def _flag(cells: dict[str, str], key: str) -> bool:
    word = cells.get(key, "").lower()
    if word not in _YES | _NO:
        raise RecipientError(f"{key} is {word[:40]!r}; write 是 or 否")
    return word in _YES


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.replace("、", ";").replace("；", ";").split(";") if part.strip()]


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _quoted(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def export_csv(session: Session) -> str:
    """Return all recipients as `import_csv` reads them, with a BOM so that spreadsheets see UTF-8; formulas disarmed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in list_recipients(session):
        lists = [_quoted(";".join(getattr(row, key))) for key in _LISTS]
        flags = ["是" if flag else "否" for flag in (row.word, row.send_empty)]
        writer.writerow([_quoted(row.address), _quoted(row.name), *lists, *flags])
    return "\ufeff" + out.getvalue()
