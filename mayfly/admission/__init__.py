"""May it start now, and where? The port `Admission` (admission.py) and one file per adapter beside it."""
