"""Formats in which the catalogue comes in and goes out; each is a pure generator or parser, `shelf` reads the rows."""
