"""Drawn posters, covers and social cards. Pure."""
