"""Editors' accounts, their sessions in the browser, and the record of attempts to log in.

Of a password only its scrypt hash is kept, of a session only the hash of its key: a copy of the database opens no door.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime, timedelta

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.models import Audit, Base
from store.text import clean_line

#: scrypt's cost: 16 MB and about a quarter of a second on one slow core (OWASP's second recommendation, 2024).
COST = (2**14, 8, 5)
SHORTEST_PASSWORD, LONGEST_PASSWORD, LONGEST_NAME = 12, 256, 64
SESSION_LASTS = timedelta(hours=12)
#: Failures within WINDOW after which an address, an account, and the door itself are closed until the window has passed.
WINDOW = timedelta(minutes=15)
MAX_PER_ADDRESS, MAX_PER_ACCOUNT, MAX_IN_ALL = 10, 20, 200
#: Refused attempts of a window that are written down; a flood must not fill the disk.
MAX_REFUSED = 1000
#: Attempts are kept this long for whoever looks into them.
KEEP_ATTEMPTS = timedelta(days=90)
#: Hashes reckoned at the same time: no crowd at the door takes the machine's memory.
_hashing = threading.BoundedSemaphore(2)


class EditorError(ValueError):
    """An account that cannot be made, changed or found; the message says why."""


class Editor(Base):
    """One person who may open the editor's desk and the status page."""

    __tablename__ = "editor"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]


class EditorSession(Base):
    """One browser that is logged in; deleted at logout, at a change of password and after it has expired."""

    __tablename__ = "editor_session"
    key_hash: Mapped[str] = mapped_column(primary_key=True)
    editor_id: Mapped[int] = mapped_column(index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LoginAttempt(Base):
    """One attempt to log in; those that are pending or failed count against address and account."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index("ix_login_attempt_at_outcome", "at", "outcome"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    address: Mapped[str]
    account: Mapped[str]
    outcome: Mapped[str]  # pending failed ok refused


def add_editor(session: Session, name: str, password: str, now: datetime, who: str) -> Editor:
    """Make an account. Raises EditorError for a name that is taken or none, and for a weak password."""
    name = _checked_name(name)
    if _by_name(session, name):
        raise EditorError(
            f"there is an editor {name!r} already; `parknews editor password` changes the password"
        )
    editor = Editor(name=name, password_hash=hash_password(_checked_password(name, password)), created_at=now)
    session.add(editor)
    _note(session, "editor.add", name, now, who)
    session.flush()
    return editor


def set_password(session: Session, name: str, password: str, now: datetime, who: str) -> None:
    """Change a password; every session of the account ends. Raises EditorError."""
    editor = _known(session, name)
    editor.password_hash = hash_password(_checked_password(editor.name, password))
    session.execute(delete(EditorSession).where(EditorSession.editor_id == editor.id))
    _note(session, "editor.password", editor.name, now, who)


def remove_editor(session: Session, name: str, now: datetime, who: str) -> None:
    """Delete an account with its sessions; what it did stays in the audit trail. Raises EditorError."""
    editor = _known(session, name)
    session.execute(delete(EditorSession).where(EditorSession.editor_id == editor.id))
    session.delete(editor)
    _note(session, "editor.remove", editor.name, now, who)


def list_editors(session: Session) -> list[Editor]:
    """Return all accounts by name."""
    return list(session.scalars(select(Editor).order_by(Editor.name)))


def begin_attempt(session: Session, account: str, address: str, now: datetime) -> int:
    """Write down that somebody tries the door; return the attempt's number. Commit before `may_try`, so that all see it."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - KEEP_ATTEMPTS))
    attempt = LoginAttempt(at=now, address=address[:64], account=_account(account), outcome="pending")
    session.add(attempt)
    session.flush()
    return attempt.id


def may_try(session: Session, number: int, now: datetime) -> bool:
    """Return whether the attempt's password may be looked at; one that may not is noted as refused and counts no further.

    Of a flood of refused ones only MAX_REFUSED stay written down.
    """
    attempt = session.get_one(LoginAttempt, number)
    open_ones = select(func.count()).where(
        LoginAttempt.at > now - WINDOW, LoginAttempt.outcome.in_(("pending", "failed"))
    )

    def failures(*conditions: object) -> int:
        return session.scalar(open_ones.where(*conditions)) or 0  # type: ignore[arg-type]

    allowed = (
        failures(LoginAttempt.address == attempt.address) <= MAX_PER_ADDRESS
        and failures(LoginAttempt.account == attempt.account) <= MAX_PER_ACCOUNT
        and failures() <= MAX_IN_ALL
    )
    if not allowed:
        refused = select(func.count()).where(
            LoginAttempt.at > now - WINDOW, LoginAttempt.outcome == "refused"
        )
        if (session.scalar(refused) or 0) < MAX_REFUSED:
            attempt.outcome = "refused"
        else:
            session.delete(attempt)
    return allowed


def password_hash_of(session: Session, account: str) -> str | None:
    """Return the hash to check a password against, None for an account that does not exist."""
    editor = _by_name(session, _account(account))
    return editor.password_hash if editor else None


def settle_attempt(session: Session, number: int, *, right: bool, now: datetime) -> str | None:
    """Close an attempt; return a new session's key when the password was right and the account is still there."""
    attempt = session.get_one(LoginAttempt, number)
    editor = _by_name(session, attempt.account) if right else None
    attempt.outcome = "ok" if editor else "failed"
    if editor is None:
        return None
    editor.last_login_at = now
    session.execute(delete(EditorSession).where(EditorSession.expires_at <= now))
    _note(session, "editor.login", editor.name, now, editor.name)
    return _new_session(session, editor, now)


def _new_session(session: Session, editor: Editor, now: datetime) -> str:
    key = secrets.token_urlsafe(32)
    session.add(EditorSession(key_hash=_key_hash(key), editor_id=editor.id, expires_at=now + SESSION_LASTS))
    return key


def editor_of(session: Session, key: str, now: datetime) -> str | None:
    """Return the name of the editor whose session has this key, None when there is none or it is over."""
    if not key or len(key) > 100:
        return None
    found = session.execute(
        select(Editor.name)
        .join(EditorSession, EditorSession.editor_id == Editor.id)
        .where(EditorSession.key_hash == _key_hash(key), EditorSession.expires_at > now)
    )
    return found.scalar_one_or_none()


def end_session(session: Session, key: str) -> None:
    """Log a browser out; once is enough."""
    session.execute(delete(EditorSession).where(EditorSession.key_hash == _key_hash(key)))


def hash_password(password: str) -> str:
    """Return `scrypt$n$r$p$salt$hash`, all but the word in hexadecimal or decimal digits."""
    salt = secrets.token_hex(16)
    n, r, p = COST
    return f"scrypt${n}${r}${p}${salt}${_scrypt(password, salt, n, r, p)}"


def is_password(password: str, kept: str | None) -> bool:
    """Return whether `password` belongs to the hash; takes as long when there is none, so that names cannot be guessed."""
    if len(password) > LONGEST_PASSWORD:
        return False
    n, r, p, salt, expected = kept.split("$")[1:] if kept else [*map(str, COST), "00" * 16, ""]
    return hmac.compare_digest(_scrypt(password, salt, int(n), int(r), int(p)), expected)


def _scrypt(password: str, salt: str, n: int, r: int, p: int) -> str:
    with _hashing:
        return hashlib.scrypt(
            password.encode("utf-8", "replace"),
            salt=bytes.fromhex(salt),
            n=n,
            r=r,
            p=p,
            maxmem=2**26,
            dklen=32,
        ).hex()


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _account(name: str) -> str:
    return clean_line(name)[:LONGEST_NAME]


def _checked_name(name: str) -> str:
    cleaned = _account(name)
    if not cleaned or cleaned != name:
        raise EditorError(f"{name[:80]!r} is no editor's name; use 1 to {LONGEST_NAME} visible characters")
    return cleaned


def _checked_password(name: str, password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise EditorError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if len(set(password)) < 5 or name.lower() == password.lower():
        raise EditorError("this password is easily guessed; use several words that do not belong together")
    return password


def _by_name(session: Session, name: str) -> Editor | None:
    return session.scalar(select(Editor).where(Editor.name == name))


def _known(session: Session, name: str) -> Editor:
    if (editor := _by_name(session, name)) is None:
        raise EditorError(f"there is no editor {name[:80]!r}; `parknews editor list` shows them")
    return editor


def _note(session: Session, what: str, name: str, now: datetime, who: str) -> None:
    session.add(Audit(at=now, who=who, what=what, target=f"editor:{name}"))
