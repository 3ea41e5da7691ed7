"""Facts about the database itself, its epoch among them, and which socket's client posted a message."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
        sqlite_with_rowid=False,
    )
    op.add_column("messages", sa.Column("connection_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "connection_id")
    op.drop_table("meta")
