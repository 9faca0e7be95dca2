"""Files that appear under their names only when they are whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Names that files bear while they are written.
PART_NAME = re.compile(r"\..+\.\d+\.part")


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield the path to write to; it takes the name of `path` at the end, or is removed when that raises. Raises OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
