"""Does the whole product hold up? The demo and the chaos drill run real hosts and real jobs, and check the log."""
