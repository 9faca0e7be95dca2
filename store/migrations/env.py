"""How Alembic runs here: over a connection that is handed in, in one transaction."""

from alembic import context

from store.models import Base


def _include(obj: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    return not (type_ == "table" and reflected and compare_to is None and (name or "").startswith("search_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="",
    include_object=_include,
)
with context.begin_transaction():
    context.run_migrations()
