"""Which app does this host run, and how are its functions called?"""
