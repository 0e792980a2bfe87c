"""Run by Alembic, with a connection that `backend.store.migrate` has opened and will commit."""

from alembic import context

from backend.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
