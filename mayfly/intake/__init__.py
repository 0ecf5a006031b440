"""What came in and could not become a job? The record `IntakeRecord` (intake_record.py), one file per adapter."""
