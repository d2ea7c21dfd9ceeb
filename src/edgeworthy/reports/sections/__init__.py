"""Sections of a report, one file each: a build record in, a section or nothing out."""
