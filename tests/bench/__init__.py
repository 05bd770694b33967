"""How fast Tripod is on this machine, beside the figures that it is held to."""
