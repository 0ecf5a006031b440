"""The HTTP client of Mayfly's API, shared by the CLI, the dashboard and the drills."""
