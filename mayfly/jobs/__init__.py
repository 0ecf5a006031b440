"""What is a job, and what may happen to it? Values in, values out: no I/O, no clock, no randomness, no environment."""
