"""Start the worker: `python -I -S worker/__main__.py [-- COMMAND ARGUMENT...]`.

Python recompiles this file at every start, while the modules that it imports are cached, so it holds only a few lines.
Starting the folder (`python worker`) works too, but is slower because it loads `runpy` first.
"""

import os
import sys

if __name__ == "__main__":
    # The parent folder goes last, so that nothing beside `worker` can hide a module of the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from worker.attempt import main

    # Nothing is left in a buffer, so skip the 2 ms that Python takes to tear itself down.
    os._exit(main(sys.argv[1:]))
