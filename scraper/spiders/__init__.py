"""Spiders, one file each; the names of file, spider and class agree."""
