"""What the command line can do: each module has `add_arguments` and `run`, which returns the exit status."""
