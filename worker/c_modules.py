"""`signal` and `socket` without their Python halves, which cost more to import than the rest of the worker.

Those halves turn constants into `enum` classes that nobody here reads: 10 ms of a start of 20. The C modules beneath
are the same functions, and where an interpreter has none the usual modules stand in.
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
