"""In what order? One orchestrator per job, and the three activities that do its work."""
