"""`python -m local_host`; see `cli`."""

import sys

from local_host.cli import main

sys.exit(main())
