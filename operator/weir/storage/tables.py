"""The tables. Their first form is migration 0001; a change here needs another migration.

Times are Unix seconds. JSON is kept as text: it is read back whole and never searched.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

# SQLite counts rows up in a column that is called INTEGER, and in no other.
_RowNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# The newest attempt of each Execution: the fence that every append to a journal passes.
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("pod_uid", sa.String(64), nullable=False),
    sa.Column("assigned", sa.Float, nullable=False),
    sa.Column("log_bytes", sa.BigInteger, nullable=False, server_default="0"),
)

# A row without a result is an intent: the effect may or may not have happened.
operations = sa.Table(
    "operations",
    metadata,
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
    sa.Column("arguments", sa.Text),
    sa.Column("progress", sa.Text),
    sa.Index("operations_effect", "effect_uid"),
)

logs = sa.Table(
    "logs",
    metadata,
    sa.Column("id", _RowNumber, primary_key=True, autoincrement=True),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("after", sa.Integer, nullable=False),
    sa.Column("line_index", sa.Integer, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("stream", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("data", sa.Text),
    sa.UniqueConstraint("uid", "try_number", "after", "line_index", name="logs_key"),
    sa.Index("logs_reading", "uid", "id"),
)

# Inputs belong to the parent that gave them, outputs to the run that made them.
values = sa.Table(
    "large_values",
    metadata,
    sa.Column("uid", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)

# Of requests to Webhooks (by UID), none of which is taken twice.
signatures = sa.Table(
    "signatures",
    metadata,
    sa.Column("webhook", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("execution", sa.String(63), nullable=False),
    sa.Column("until", sa.Float, nullable=False),
    sa.Index("signatures_until", "until"),
)

# Files of scripts. Their names are free text, unique in a namespace.
files = sa.Table(
    "files",
    metadata,
    sa.Column("namespace", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(253), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("bytes", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("modified", sa.Float, nullable=False),
)

archive = sa.Table(
    "archive",
    metadata,
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
    sa.Index("archive_name", "namespace", "name"),
    sa.Index("archive_ended", "namespace", "ended"),
    sa.Index("archive_flow", "namespace", "flow", "ended"),
    sa.Index("archive_root", "root_uid"),
    sa.Index("archive_archived", "archived"),
)
