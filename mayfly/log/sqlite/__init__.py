"""The log and its stats in one SQLite file."""
