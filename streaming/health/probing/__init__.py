"""Requests to links, without the database."""
