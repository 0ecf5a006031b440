"""The function app as the Functions host and its Python worker see it."""
