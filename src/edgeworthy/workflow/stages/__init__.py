"""The stages of a build, one file each, in the order of the work.

A stage turns what earlier stages made into typed records, by steps whose results are cached.
Rooms that are slow to import are imported where a step really runs, so that a build with nothing
to do stays quick.
"""
