"""The infrastructure files, checked without Azure."""
