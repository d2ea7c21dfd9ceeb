"""Corruptions of series, one file each."""
