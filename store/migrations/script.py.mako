"""${message}

A migration is named by its effect. It must run on SQLite and PostgreSQL, keep every row, and not hold a lock on a large
table for long: add a column as nullable, fill it in batches, then tighten it. Never edit one that was released.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from store.database import JsonValue, UtcDateTime

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
