"""Custom components, importable for tests."""
