"""The steps of a run: check, collect, decide, write."""
