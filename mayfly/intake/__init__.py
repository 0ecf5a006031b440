"""Which messages could not become jobs? The port `IntakeRecord` (intake_record.py), and one file for each adapter."""
