"""A small web site of our own, with films and links of every fate: what the example spider reads, offline."""
