"""What a destination may have, and by which object it was told to forget it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        # Only for the rows that are there: the tables give no default afterwards.
        batch_op.add_column(
            sa.Column("n_unanswered", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("retraction_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_retraction_id"), "result", ["retraction_id"], ["id"]
        )
    # Until now nobody counted tries without an answer: each that was not refused may be one.
    op.execute(
        "UPDATE delivery SET n_unanswered = tries WHERE status <> 'sent'"
        " AND (last_error IS NULL OR last_error NOT LIKE 'refused: %')"
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.alter_column("n_unanswered", server_default=None)
