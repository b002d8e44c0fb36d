"""The International Brain Laboratory's behavioural database as one DuckDB file."""

from mirror.store import connect

__all__ = ["connect"]
