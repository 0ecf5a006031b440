"""An endpoint that speaks the container-group REST API of Azure to its real SDK, with the failures that it documents.

`arm.py` holds the state and the rules, `server.py` puts it on a port, `groups.py` is what a group shows, `limits.py`
what a region allows, `switches.py` what goes wrong, and `backing.py` what runs inside: a clock, or real processes.
"""
