#!/usr/bin/env python
"""Remove movies without working links: `python cleanup_dead_links.py [--dry-run]` runs `manage.py prune_movies`."""

from __future__ import annotations

import sys

from manage import main

if __name__ == "__main__":
    sys.argv = [sys.argv[0], "prune_movies", *sys.argv[1:]]
    sys.exit(main())
