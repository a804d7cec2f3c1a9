"""Decisions about links and runs. Pure."""
