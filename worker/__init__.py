"""What runs inside the container? The worker: it claims the attempt, does the work, and reports the outcome.

The worker uses only the standard library and imports nothing else of Mayfly, so that an image only has to copy this
folder. It follows `docs/worker-contract.md`. A worker in any other language that follows the contract is just as good.

The worker starts once per job, so its startup time is part of every job. Modules that take milliseconds to import
(json, ssl, http, subprocess, enum and everything that imports enum) are imported where they are first needed, or not at
all: decision 10. `typing` is one of them: type checkers treat any variable named `TYPE_CHECKING` as true.
"""
