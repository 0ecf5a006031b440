"""What starts the work? HTTP, a queue, the change feed and timers: one blueprint each."""
