"""What do people look at? A page reads through the read service, then draws; it acts through the HTTP API alone."""
