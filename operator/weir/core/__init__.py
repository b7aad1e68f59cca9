"""Decisions, and nothing else: no clock, no input or output, no logging."""
