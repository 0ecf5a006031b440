"""Which job is a log record or a span about? Job context, and the span processor that attaches it."""
