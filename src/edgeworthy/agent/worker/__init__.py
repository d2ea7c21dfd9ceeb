"""The process that loads one model and serves it; ``python -m edgeworthy.agent.worker``.

Each model has a process of its own: what an engine leaks or crashes goes with it, and an update is
a new process beside the old one, to which the connections move. What the supervisor and the worker
say to each other is in :mod:`edgeworthy.documents.worker_control`.

The process imports the engine, numpy and msgspec, and neither ``onnx`` nor trust libraries nor a
web framework: on a device every one of them would be paid for in memory, once per model.
"""
