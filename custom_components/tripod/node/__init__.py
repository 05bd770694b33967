"""The engine without Home Assistant: a small server on the machine that has the cameras."""
