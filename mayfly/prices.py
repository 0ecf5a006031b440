"""Prices to compare with, where a place itself bills nothing."""

from __future__ import annotations

from mayfly.composition import Rates

EAST_US = Rates(cpu_hour=0.0405, memory_gb_hour=0.00445)
"""USD, Linux. Source: the Retail Prices API, Container Instances, East US, as of August 2026."""
