"""How much a version may lose and still count as harmless, from the project file."""

from __future__ import annotations

from edgeworthy.workflow.workspace import Workspace


def margin_of(workspace: Workspace, target: str, metric: str) -> float | None:
    """The margin of the task's first metric on a target; None when nobody says.

    Args:
        workspace: The project.
        target: Name of a target.
        metric: The task's first metric.
    """
    if workspace.project.optimize.margin is not None:
        return workspace.project.optimize.margin
    return min(
        (
            each.drop_at_most
            for each in workspace.project.require
            if each.metric == metric
            and not each.slice
            and each.target in {"", target}
            and each.drop_at_most is not None
        ),
        default=None,
    )
