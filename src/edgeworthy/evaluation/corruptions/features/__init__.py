"""Corruptions of features, one file each."""
