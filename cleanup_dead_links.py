#!/usr/bin/env python
"""Clean-up by hand: `python cleanup_dead_links.py [--dry-run]` is `manage.py prune_movies`, statistics and all."""

from __future__ import annotations

import sys

from manage import main

if __name__ == "__main__":
    sys.argv = [sys.argv[0], "prune_movies", *sys.argv[1:]]
    sys.exit(main())
