"""Where is it written? The port `EventLog` (event_log.py) and one file per adapter beside it."""
