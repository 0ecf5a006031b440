def chaos() -> None:
    """Later."""
