"""Page through whole sources for new films."""
