"""The C halves of `signal` and `socket`: their Python halves cost more to import than the rest of the worker.

The Python halves turn constants into `enum` classes that the worker never uses: 10 ms of a 20 ms start. The C modules
hold the same functions. On an interpreter without them, the full modules take their place.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signal
    import socket as socket
else:
    try:
        import _signal as signal
        import _socket as socket
    except ImportError:
        import signal
        import socket

__all__ = ["signal", "socket"]
