"""Does the whole product hold up? The demo and the chaos drill: real hosts, real jobs, and checks of the log."""
