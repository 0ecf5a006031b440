"""What runs inside the container? The worker: it claims the attempt, does the work, reports the end.

Standard library only, and nothing of ours: this folder is copied into an image as it is. The contract that it
follows is `docs/worker-contract.md`; a worker in any other language that follows it is as good.

It is started once per job, so its start-up time is part of every job. Modules that cost milliseconds to import
(json, ssl, http, subprocess, enum and whatever imports it) are imported where they are first needed, or not at all.
"""
