"""The same operations on every store, compared at each step."""
