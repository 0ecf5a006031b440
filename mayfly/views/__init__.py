"""What do readers see? The projection, the port `JobViews` (job_views.py) and one file per adapter beside it."""
