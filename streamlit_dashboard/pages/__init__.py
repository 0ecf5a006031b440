"""One script per page; `app.py` runs them."""
