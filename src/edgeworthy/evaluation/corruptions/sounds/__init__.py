"""Corruptions of sounds, one file each."""
