"""How the database came to its present shape: one file per change, applied in order by alembic.

A new change: edit `storage/schema.py`, then write the next `versions/v????_*.py` by hand or with
alembic's autogenerate, and never edit one that was released. There is no way down: who goes back
to an older version restores the backup that was made with it.
"""
