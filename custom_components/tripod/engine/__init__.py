"""The camera engine: one capture, every consumer. Knows nothing of Home Assistant."""
