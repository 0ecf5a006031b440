"""What stands in for the Azure Functions host on one machine?

A small Functions host: it loads any Python v2 function app, keeps a durable task hub in one SQLite file, and speaks
the same protocol with the real Durable Functions SDK as the host in Azure does. It knows no particular app, and what
it does not support it refuses by name when it loads the app.

Read `durable/engine` for how orchestrations run, `durable/replay` for the rules, `durable/hub` for what is durable and
when; `app` for what is loaded, `triggers` for what calls it, `web` for what is heard and answered.
"""
