"""Mirrors other instances of Openreel through their `changes/`, with checks of our own."""
