"""Start the worker: `python -I -S worker/__main__.py [-- COMMAND ARGUMENT...]`.

Kept to a few lines because Python compiles the started file anew each time, while the modules it imports are cached.
The file is faster to start than the folder (`python worker`), which works too but loads `runpy` first.
"""

import os
import sys

if __name__ == "__main__":
    # The parent folder goes last, so that nothing beside `worker` can hide a module of the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from worker.attempt import main

    # Nothing is buffered and everything is said, so the 2 ms in which Python takes itself apart are saved.
    os._exit(main(sys.argv[1:]))
