"""How is the host spoken to over HTTP? Functions, the durable management API, and the pages of its owner."""
