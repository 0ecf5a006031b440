"""Mayfly: one job, one container, one log."""
