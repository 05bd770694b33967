"""What users may write in templates to have a time told."""

DIRECTIVE = "%-?[aAbBdHIjmMpSuUVwWyYzZGCDeFhklRTcxX%]"
"""A regular expression of what strftime(3) makes of a time: without a width, which could fill the memory."""
