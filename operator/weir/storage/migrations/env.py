"""What Alembic runs: the migrations, in the transaction that `migrating` began."""

from alembic import context

from weir.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
