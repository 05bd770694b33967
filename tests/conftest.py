"""What all tests share: real cameras to look at."""

pytest_plugins = ["tests.servers.fixtures"]
