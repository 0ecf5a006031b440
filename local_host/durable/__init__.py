"""How do orchestrations run and survive? The engine, its task hub, and the loop that drives it."""
