"""Job views and job stats in one SQLite file."""
