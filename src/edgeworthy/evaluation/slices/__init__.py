"""Slices that nobody declared: searched for, described in words, and hardly ever by chance."""
