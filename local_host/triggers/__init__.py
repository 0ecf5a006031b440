"""What calls a function when nobody does? Change feeds, queues and timers."""
