"""Articles that tell the same thing become one story: assigning, revising, merging and splitting by hand.

Everything here runs inside the caller's transaction. On SQLite a write transaction is exclusive from its beginning
(`session_scope`), on PostgreSQL an advisory lock makes assigning exclusive; so no article gets two stories.
"""

from __future__ import annotations

#: Held on PostgreSQL while a story is chosen.
_LOCK = 0x73746F72
