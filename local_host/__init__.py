"""What replaces the Azure Functions host on one machine?

A small Functions host. It loads any Python v2 function app, keeps a durable task hub in one SQLite file, and speaks the
same protocol with the real Durable Functions SDK as the host in Azure. It contains nothing specific to one app. If an
app uses a feature that this host does not support, loading the app fails with the name of the feature.

Read `durable/engine` for how orchestrations run, `durable/replay` for the replay rules, and `durable/hub` for what is
durable and when. `app` loads the app, `triggers` call its functions, and `web` serves HTTP.
"""
