"""The device side: fetches what it may run, proves it, runs it, and goes back when it must.

What runs before a model is loaded needs the standard library, the trust libraries and msgspec,
and reaches no array, graph, engine, database or web package.
"""
