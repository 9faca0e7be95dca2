"""Mails and their attachments as files, for networks that no mail leaves: someone carries the folder over."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from digest.channels.base import BeforeTheDot, DeliveryError, Parcel
from store.text import clean_line

_UNSAFE = re.compile(r"[^\w.()（）-]+")
#: Octets of a file name: file systems allow 255, the temporary name needs a few.
_NAME_OCTETS = 200


def file_stem(parcel: Parcel) -> str:
    """Return the one name a parcel's files begin with: the same parcel always gets the same."""
    return _safe(parcel.message_id.strip("<>").partition("@")[0] or parcel.address)


def _safe(name: str) -> str:
    cleaned = _UNSAFE.sub("_", clean_line(name)).strip("._") or "unnamed"
    return cleaned.encode()[:_NAME_OCTETS].decode("utf-8", "ignore")


def write_file(path: Path, content: bytes, before: BeforeTheDot = lambda: None, *, mode: int = 0o600) -> None:
    """Write `path` so that it is there whole or not at all, also after a power cut. `before` runs before it appears.

    Others than the owner may do with it what `mode` says.
    """
    handle, temporary = tempfile.mkstemp(prefix=".parknews-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        before()
        Path(temporary).replace(path)
    finally:
        with suppress(OSError):
            Path(temporary).unlink()  # still there only when something went wrong
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class FolderChannel:
    """The channel `folder`: one `.eml` a parcel, its attachments beside it under names that begin alike."""

    name = "folder"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.directory)!r})"

    def check(self) -> None:
        self.open()

    def open(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.directory):
                pass
        except OSError as error:
            raise self._fault(error) from None

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        stem = file_stem(parcel)
        target = self.directory / f"{stem}.eml"
        try:
            for file in parcel.attachments:
                write_file(self.directory / _safe(f"{stem}-{file.filename}"), file.content)
            write_file(target, parcel.message, before_the_dot)
        except OSError as error:
            raise self._fault(error) from None
        return f"written {target.name}"

    def close(self) -> None:
        return

    def _fault(self, error: OSError) -> DeliveryError:
        return DeliveryError(
            f"folder {self.directory}: {error.strerror}; check that it exists, is writable and has room",
            reason="folder_not_writable",
        )
