"""Where pieces of work run: one interface, one file for each place.

The work itself knows nothing of the place: a piece is the name of a function and bytes, and what
comes back is bytes. Local processes are one place; a cluster would be another file here.
"""

from edgeworthy.workflow.executors.base import Executor, Failure, Outputs, Task
from edgeworthy.workflow.executors.local import LocalProcesses

__all__ = ["Executor", "Failure", "LocalProcesses", "Outputs", "Task"]
