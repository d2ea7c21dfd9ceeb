"""Corruptions of images, one file each."""
