"""Backups of the whole database that can be restored into SQLite and PostgreSQL alike."""
