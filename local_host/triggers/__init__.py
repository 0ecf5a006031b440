"""What calls a function besides HTTP and orchestrations? Change feeds, queues and timers."""
