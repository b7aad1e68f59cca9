"""Signatures of requests to Webhooks, none of which is taken twice."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "signatures",
        sa.Column("webhook", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("execution", sa.String(63), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("signatures_until", "signatures", ["until"])


def downgrade() -> None:
    """Take it out."""
    op.drop_table("signatures")
