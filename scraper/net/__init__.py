"""URLs and connections: which may be opened, how and how often."""
