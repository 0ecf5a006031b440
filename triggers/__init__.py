"""What sets it off? HTTP, the change feed and timers: one blueprint each."""
