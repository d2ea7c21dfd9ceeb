"""Frozen, versioned records that cross a room, the disk or the wire.

A *record* is a value; a *document* is a record that is stored or sent on its own, so it carries
its kind and the version of its format. There is no logic here but validation.
"""
