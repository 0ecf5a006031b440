"""Where does it run? The port `ContainerRuntime` (runtime.py) and one folder per adapter."""
