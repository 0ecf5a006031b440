"""One script per page; `app.py` runs them.

The folder is not called `pages`: Streamlit takes every script of such a folder for a page of its own, and shows it bare
to whoever is first to follow a deep link.
"""
