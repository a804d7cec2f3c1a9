"""One run shared by several machines."""
