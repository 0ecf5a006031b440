"""The command line: what a person types. It knows the HTTP API, and how to run a host on this machine."""

from mayfly.cli.app import main

__all__ = ["main"]
