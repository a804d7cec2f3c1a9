"""Films and links from the responses of sources. Pure."""
