"""Container groups as process groups of this machine."""
