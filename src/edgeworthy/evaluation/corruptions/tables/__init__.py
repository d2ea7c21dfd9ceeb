"""Corruptions of tables, one file each."""
