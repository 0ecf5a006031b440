"""May it start now, and where? The port `Admission` (admission.py), its rules, and the ledgers that they share."""
