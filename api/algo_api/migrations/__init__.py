"""Alembic migrations; run by `python -m algo_api.migrate`."""
