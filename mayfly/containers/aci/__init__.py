"""Container groups on Azure Container Instances."""
