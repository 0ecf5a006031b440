"""The verbs of Mayfly: one module per use case. Each takes the ports in `mayfly/app.py` and imports no adapter."""
