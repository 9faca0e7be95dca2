"""Who may act: the one daemon, the one crawl per host. A lease is won, kept and lost by one conditional statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from store.database import upsert
from store.models import Lease

#: How far the clocks of two machines may be apart before one takes the other's lease for an impossible one.
CLOCKS_APART = timedelta(minutes=5)


def acquire(session: Session, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or renew the lease `name` for `seconds`; return whether `holder` has it now. May be repeated.

    A lease that would last far longer than anybody asks for was written under a wrong clock and counts as expired.
    """
    expires = now + timedelta(seconds=seconds)
    statement = upsert(session, Lease).values(name=name, holder=holder, expires_at=expires)
    statement = statement.on_conflict_do_update(
        index_elements=[Lease.name],
        set_={"holder": holder, "expires_at": expires},
        where=(Lease.holder == holder)
        | (Lease.expires_at <= now)
        | (Lease.expires_at > expires + max(timedelta(seconds=seconds), CLOCKS_APART)),
    )
    return session.execute(statement.returning(Lease.holder)).scalar() == holder


def release(session: Session, name: str, holder: str) -> None:
    """Give the lease up; nothing happens when `holder` does not have it."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


def rest(session: Session, name: str, holder: str, now: datetime, seconds: float) -> None:
    """Give the lease up in so many seconds from now: nobody is to come sooner after its holder, who is done."""
    if seconds > 0:
        acquire(session, name, holder, now, seconds)
    else:
        release(session, name, holder)


def holder_of(session: Session, name: str, now: datetime) -> str | None:
    """Return who has the lease now, None when nobody does."""
    lease = session.get(Lease, name)
    return lease.holder if lease and lease.expires_at > now else None
