"""The C halves of `signal` and `socket`: their Python halves cost more to import than the rest of the worker.

The Python halves turn constants into `enum` classes that the worker never uses: 10 ms of a 20 ms start.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as signal
    import socket as socket
else:
    # The full modules import these two themselves, so every interpreter that has one has the other.
    import _signal as signal
    import _socket as socket

__all__ = ["signal", "socket"]
