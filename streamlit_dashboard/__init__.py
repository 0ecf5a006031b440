"""What do people see? Pages read through the read service, and act only through the HTTP API."""
