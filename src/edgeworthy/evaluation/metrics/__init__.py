"""Metrics: a value with an interval and a paired drop against the original, one idea a file."""
