"""A small web site for demo and tests, with links that work and links that fail in every known way."""
