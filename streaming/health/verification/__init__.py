"""Ask the sources' own APIs about links."""
