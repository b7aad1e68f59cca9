"""What a hibernated run waits for, how far an operation has come, and files."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("operations", sa.Column("arguments", sa.Text))
    op.add_column("operations", sa.Column("progress", sa.Text))
    op.create_table(
        "files",
        sa.Column("namespace", sa.String(63), primary_key=True),
        sa.Column("name", sa.String(253), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("modified", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Take them out."""
    op.drop_table("files")
    with op.batch_alter_table("operations") as batch:
        batch.drop_column("progress")
        batch.drop_column("arguments")
