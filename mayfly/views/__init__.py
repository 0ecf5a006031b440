"""What do readers see? The projection, the ports `JobViews` and `JobStats`, and their adapters."""
