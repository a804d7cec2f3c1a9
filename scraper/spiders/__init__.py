"""Spiders, one file each; file, spider and class share one name."""
