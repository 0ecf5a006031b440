"""The tabs of the job page, one module each."""
