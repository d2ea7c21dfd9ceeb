"""Joins the rooms: the project, the build plan and its cache.

This is the only room that knows the order of the work. Everything below it is told what to do and
does not know who asks.
"""
