"""Run by Alembic for `migrations.upgrade`, on the connection and in the transaction that were opened there."""

from __future__ import annotations

from alembic import context

from orosync.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
