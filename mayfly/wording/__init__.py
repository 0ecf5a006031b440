"""Jobs, states and events in words, shared by the CLI and the dashboard. Imports neither rich nor Streamlit."""
