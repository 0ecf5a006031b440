"""Where does it run? The port `ContainerRuntime` (runtime.py) and one file per adapter beside it."""
