"""What does the host serve over HTTP? HTTP functions, the durable management API, and administration."""
