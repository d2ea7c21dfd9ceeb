"""Requirements as they stand in the project file: whether they make sense, and in words.

Rules:

1. A requirement has exactly one finite bound, names a metric and a target that exist, and a slice
   of the form ``column=value`` or ``column=*``; figures of speed, memory and size have no slices.
2. `corruption` and `severity` select figures under corruption, which have no slices.
3. An error names ``require[i]``, what was found and the nearest name that would have been right.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence

from edgeworthy.documents.project import RequirementSection
from edgeworthy.errors import ProjectFileError
from edgeworthy.release.corruption_figures import RELATIVE_ERROR, is_under_corruption

#: Percentile by the metric that asks for it.
LATENCY_PERCENTS = {"latency_p50_ms": 50.0, "latency_p90_ms": 90.0, "latency_p99_ms": 99.0}
#: What a measurement can be asked for; everything else is asked of an evaluation.
MEASUREMENT_METRICS = (*LATENCY_PERCENTS, "load_time_ms", "peak_memory_mib", "size_kib")
#: Findings of the scan of an artefact's file, and checks that could not be made.
SCAN_METRIC = "scan_findings"
_UNITS = {"_ms": " ms", "_mib": " MiB", "_kib": " KiB"}
_EACH = "*"


def check_requirements(
    requirements: Sequence[RequirementSection],
    *,
    metric_names: Iterable[str],
    target_names: Iterable[str],
    corruption_names: Iterable[str] = (),
) -> None:
    """Refuse requirements that could never be judged, before any work is done.

    Args:
        requirements: ``[[require]]``, in the order of the file.
        metric_names: What an evaluation of this task gives.
        target_names: The targets of the project.
        corruption_names: Corruptions and groups of them.

    Raises:
        ProjectFileError: One of them breaks rule 1.
    """
    metrics = (*metric_names, *MEASUREMENT_METRICS, SCAN_METRIC)
    targets, corruptions = tuple(target_names), ("*", *corruption_names)
    for index, requirement in enumerate(requirements):
        where = f"require[{index}]"
        _check_bound(requirement, where)
        _check_name(requirement.metric, metrics, key=f"{where}.metric", what="metric")
        if requirement.target:
            _check_name(requirement.target, targets, key=f"{where}.target", what="target")
        _check_slice(requirement, f"{where}.slice")
        _check_corruption(requirement, corruptions, where)
        if requirement.metric == SCAN_METRIC and requirement.drop_at_most is not None:
            raise ProjectFileError(
                f"{SCAN_METRIC} is not compared with the original",
                expected="`at_most`, and nearly always 0",
                where=where,
            )


def bound_of(requirement: RequirementSection) -> float:
    """The bound that is given.

    Raises:
        ProjectFileError: There is not exactly one.
    """
    bounds = _bounds(requirement)
    if len(bounds) != 1:
        raise ProjectFileError(
            f"a requirement on {requirement.metric} has {len(bounds)} bounds", expected="one"
        )
    return next(iter(bounds.values()))


def bound_in_words(requirement: RequirementSection) -> str:
    """The bound as people say it.

    >>> bound_in_words(RequirementSection(metric="latency_p90_ms", at_most=20))
    'at most 20 ms'
    """
    figure = f"{format_figure(bound_of(requirement))}{unit_of(requirement.metric)}"
    if requirement.at_least is not None:
        return f"at least {figure}"
    if requirement.at_most is not None:
        return f"at most {figure}"
    return f"at most {figure} worse than the original"


def unit_of(metric: str) -> str:
    """The unit behind a figure of a metric, with its space.

    >>> unit_of("accuracy"), unit_of("size_kib")
    ('', ' KiB')
    """
    if metric not in MEASUREMENT_METRICS:
        return ""
    return next(unit for ending, unit in _UNITS.items() if metric.endswith(ending))


def format_figure(value: float) -> str:
    """A figure as people read it: four significant digits, no needless zeros.

    >>> format_figure(0.91349), format_figure(1234567.0), format_figure(20.0)
    ('0.9135', '1234567', '20')
    """
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"  # noqa: PLR2004 - four digits


def wants_each(requirement: RequirementSection) -> str:
    """The column of a requirement that asks for each of its values; else empty.

    >>> wants_each(RequirementSection(metric="accuracy", slice="digit=*"))
    'digit'
    """
    column, _, value = requirement.slice.partition("=")
    return column if value == _EACH else ""


def _bounds(requirement: RequirementSection) -> dict[str, float]:
    given = {
        "at_least": requirement.at_least,
        "at_most": requirement.at_most,
        "drop_at_most": requirement.drop_at_most,
    }
    return {name: value for name, value in given.items() if value is not None}


def _check_bound(requirement: RequirementSection, where: str) -> None:
    bounds = _bounds(requirement)
    if len(bounds) != 1:
        raise ProjectFileError(
            "a requirement has exactly one bound",
            expected="one of at_least, at_most, drop_at_most",
            found=", ".join(bounds) or "none",
            where=where,
        )
    for name, value in bounds.items():
        if not math.isfinite(value):
            raise ProjectFileError(
                "a bound is a finite number", found=f"{value}", where=f"{where}.{name}"
            )


def _check_name(name: str, known: Sequence[str], *, key: str, what: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    listed = ", ".join(known) or "none"
    raise ProjectFileError(
        f"unknown {what} `{name}`",
        expected=f"one of {listed}",
        found=f"`{name}`",
        where=key,
        next_step=f"The nearest is `{near[0]}`" if near else "",
    )


def _check_corruption(requirement: RequirementSection, known: Sequence[str], where: str) -> None:
    selects = bool(requirement.corruption) or requirement.severity is not None
    if not is_under_corruption(requirement.metric):
        if selects:
            raise ProjectFileError(
                f"{requirement.metric} is not a figure under corruption",
                expected="`corruption` and `severity` with such a metric only",
                where=where,
                next_step="Ask for `corruption_accuracy`, for example",
            )
        return
    if requirement.corruption:
        _check_name(requirement.corruption, known, key=f"{where}.corruption", what="corruption")
    if requirement.slice:
        raise ProjectFileError(
            f"{requirement.metric} has no slices",
            expected="`corruption` in the place of `slice`",
            found=f"`{requirement.slice}`",
            where=f"{where}.slice",
        )
    relative = requirement.metric == RELATIVE_ERROR
    if relative and (requirement.severity is not None or requirement.drop_at_most is not None):
        raise ProjectFileError(
            f"{RELATIVE_ERROR} compares with the original already, over all severities",
            expected="`at_most` or `at_least`, and no `severity`",
            where=where,
        )


def _check_slice(requirement: RequirementSection, where: str) -> None:
    if not requirement.slice:
        return
    column, equals, value = requirement.slice.partition("=")
    if not (column and equals and value):
        raise ProjectFileError(
            "malformed slice",
            expected="`column=value`, or `column=*` for each value",
            found=f"`{requirement.slice}`",
            where=where,
        )
    if requirement.metric in (*MEASUREMENT_METRICS, SCAN_METRIC):
        raise ProjectFileError(
            f"{requirement.metric} is a figure of the whole artefact, it has no slices",
            expected="no slice",
            found=f"`{requirement.slice}`",
            where=where,
        )
