"""How Alembic runs here: over a connection that is handed in, in one transaction."""

from alembic import context

from store.models import Base
from store.schema import is_modelled

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="",
    include_object=is_modelled,
)
with context.begin_transaction():
    context.run_migrations()
