"""Addresses that must not be written to although nothing else is known of them any more.

An erased recipient leaves only a salted scrypt hash behind, so that a later import cannot bring the address back. One salt
serves the whole table: a look-up costs one hash (about 3 ms), and none at all while the table is empty.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.models import Base


class Suppression(Base):
    """One erased address, as a hash nobody can read."""

    __tablename__ = "suppression"
    address_hash: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


def hash_address(address: str, salt: str) -> str:
    """Return the hex hash of an address in its kept form."""
    return hashlib.scrypt(
        address.encode("utf-8", "replace"), salt=bytes.fromhex(salt), n=1024, r=8, p=1, dklen=32
    ).hex()


def remember(session: Session, address: str, reason: str, now: datetime) -> None:
    """Keep the hash of `address`; once is enough."""
    salt = session.scalars(select(Suppression.salt).limit(1)).first() or secrets.token_hex(16)
    hashed = hash_address(address, salt)
    if session.get(Suppression, hashed) is None:
        session.add(Suppression(address_hash=hashed, salt=salt, reason=reason, created_at=now))
        session.flush()


def is_remembered(session: Session, address: str) -> bool:
    """Return whether `address` was erased and must stay away."""
    salts = session.scalars(select(Suppression.salt).distinct()).all()
    return any(session.get(Suppression, hash_address(address, salt)) is not None for salt in salts)


def forget(session: Session, address: str) -> None:
    """Let `address` come back (a person decided so)."""
    for salt in session.scalars(select(Suppression.salt).distinct()).all():
        session.execute(delete(Suppression).where(Suppression.address_hash == hash_address(address, salt)))
