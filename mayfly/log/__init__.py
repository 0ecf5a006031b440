"""Where is it written? The ports `EventLog` and `LogStats`, their adapters, and `Streams`, the log seen as jobs."""
