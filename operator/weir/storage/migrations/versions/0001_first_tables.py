"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "attempts",
        sa.Column("uid", sa.String(64), primary_key=True),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("pod_uid", sa.String(64), nullable=False),
        sa.Column("assigned", sa.Float, nullable=False),
        sa.Column("log_bytes", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "operations",
        sa.Column("uid", sa.String(64), primary_key=True),
        sa.Column("try_number", sa.Integer, primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("line", sa.Integer),
        sa.Column("deadline", sa.Float),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("effect_uid", sa.String(64)),
        sa.Column("effect_name", sa.String(63)),
    )
    op.create_index("operations_effect", "operations", ["effect_uid"])
    op.create_table(
        "logs",
        sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("try_number", sa.Integer, nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
        sa.Column("line_index", sa.Integer, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("stream", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("data", sa.Text),
        sa.UniqueConstraint("uid", "try_number", "after", "line_index", name="logs_key"),
    )
    op.create_index("logs_reading", "logs", ["uid", "id"])
    op.create_table(
        "large_values",
        sa.Column("uid", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "archive",
        sa.Column("uid", sa.String(64), primary_key=True),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("root_uid", sa.String(64), nullable=False),
        sa.Column("parent_uid", sa.String(64)),
        sa.Column("flow", sa.String(253)),
        sa.Column("title", sa.String(253)),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(63)),
        sa.Column("created", sa.Float),
        sa.Column("started", sa.Float),
        sa.Column("ended", sa.Float),
        sa.Column("archived", sa.Float, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
    )
    op.create_index("archive_name", "archive", ["namespace", "name"])
    op.create_index("archive_ended", "archive", ["namespace", "ended"])
    op.create_index("archive_flow", "archive", ["namespace", "flow", "ended"])
    op.create_index("archive_root", "archive", ["root_uid"])
    op.create_index("archive_archived", "archive", ["archived"])


def downgrade() -> None:
    """Drop everything."""
    for table in ("archive", "large_values", "logs", "operations", "attempts", "meta"):
        op.drop_table(table)
