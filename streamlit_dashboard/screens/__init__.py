"""One script per page; `app.py` runs them.

The folder is not called `pages`, because Streamlit turns every script of such a folder into a separate page. It shows
that page without the app's frame to the first viewer who follows a deep link.
"""
