"""What the doctor finds: one checked thing with its remedy."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler.remedies import remedy


@dataclass(frozen=True, slots=True)
class Check:
    """One checked thing. `code` is a key of scheduler.remedies; a `note` is worth knowing and no fault."""

    what: str
    ok: bool
    detail: str
    code: str = ""
    note: bool = False

    @property
    def remedies(self) -> tuple[str, str] | None:
        """What to do, in English and Chinese; None when nothing is wrong."""
        return remedy(self.code) if self.code and (self.note or not self.ok) else None

    @property
    def word(self) -> str:
        """ok, note or FAIL."""
        return "FAIL" if not self.ok else "note" if self.note else "ok"
