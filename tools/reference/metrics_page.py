"""``docs/reference/metrics.md``: every name that ``[[require]]`` can ask for."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from edgeworthy.documents.project import Task
from edgeworthy.evaluation.corruptions import RELATIVE_ERROR, corruption_metrics, scoring_of
from edgeworthy.evaluation.tasks import find_task
from edgeworthy.measurement import MeasurementMetric, measurement_metrics
from reference.docstrings import docstring_of
from reference.markdown import code, document, table

_INTRODUCTION = """\
These names stand in `metric` of a [`[[require]]`](project-file.md#require). A metric of an
evaluation can be asked for on all samples or on a slice; with `drop_at_most` it is held against the
original model on the same samples, and a drop is positive when the artefact is worse, whichever
direction is better. Figures of a measurement belong to the whole artefact and have no slices.

Each figure comes with a confidence interval, and the interval is what is held against the bound:
see [The gate](../concepts/gate.md). The first metric of a task is the one that
`prefer = "accuracy"` means."""

_CORRUPTION_INTRODUCTION = """\
Of an evaluation whose [corruptions](../concepts/corruptions.md) were examined; a requirement has
them examined by asking. `corruption` selects one corruption, a group or, with `*`, each; `severity`
one of the severities; without them it is the mean."""

_SCAN = """\
`scan_findings` is what the [scan of the file](../concepts/models.md#scan) found, and the checks
that could not be made: a count, exact, lower is better. It has neither slices nor a drop."""

_MEASUREMENT_INTRODUCTION = """\
Taken in MLPerf's SingleStream scenario: one query after the other, one sample each, each artefact
in processes of its own that take turns. The independent observations behind each interval are the
starts of the process: see
[decision 0006](../decisions/0006-starts-are-the-observations.md)."""

_LATENCY = (
    "From a sample in memory to its outputs, the warm-up not counted.",
    "order statistics over the starts: Conover, *Practical Nonparametric Statistics*, 3rd ed., 3.2",
)
_MEASURED: dict[str, tuple[str, str]] = {
    "latency_p50_ms": _LATENCY,
    "latency_p90_ms": _LATENCY,
    "latency_p99_ms": _LATENCY,
    "load_time_ms": (
        "From the file to a session that can run.",
        "median over the starts, with order statistics",
    ),
    "peak_memory_mib": (
        "Largest resident memory of the process that ran only this artefact.",
        "median over the starts, with order statistics",
    ),
    "size_kib": ("External data included.", "exact"),
}


def metrics_page() -> str:
    """The page."""
    parts = [_INTRODUCTION]
    for task in typing.get_args(Task):
        parts += [f"## Evaluation: {task}", _task_table(task)]
    parts += ["## Under corruption", _CORRUPTION_INTRODUCTION, _corruption_table()]
    parts += ["## Scan", _SCAN]
    parts += ["## Measurement", _MEASUREMENT_INTRODUCTION, _measurement_table()]
    return document("Metrics", parts)


def metric_names() -> list[str]:
    """Every name that a requirement can ask for."""
    evaluated = [
        each.definition.name for task in typing.get_args(Task) for each in find_task(task).metrics
    ]
    corrupted = [name for task in typing.get_args(Task) for name in corruption_metrics(task)]
    return [
        *evaluated,
        *dict.fromkeys(corrupted),
        "scan_findings",
        *(each.name for each in measurement_metrics()),
    ]


def _task_table(task: str) -> str:
    return table(
        ["metric", "unit", "better", "what it is", "source"],
        [
            [
                code(each.definition.name),
                _unit(each.definition.unit),
                _direction(higher_is_better=each.definition.higher_is_better),
                _explanation(
                    docstring_of(type(each)).summary,
                    needs_original=each.definition.needs_original,
                ),
                each.definition.source,
            ]
            for each in find_task(task).every_metric
        ],
    )


def _corruption_table() -> str:
    rows = []
    for task in typing.get_args(Task):
        scoring = scoring_of(task)
        if scoring is not None:
            rows.append(
                [
                    code(f"corruption_{scoring.metric}"),
                    _unit(scoring.unit),
                    _direction(higher_is_better=scoring.higher_is_better),
                    f"The mean of `{scoring.metric}` over corruptions and severities ({task}).",
                    "Hendrycks and Dietterich, ICLR 2019; intervals: Korn and Graubard, 1998",
                ]
            )
    relative = "Errors under corruption, over the original's under the same corruptions."
    source = "Hendrycks and Dietterich, ICLR 2019, with the original in the place of AlexNet"
    rows.append([code(RELATIVE_ERROR), "ratio", "lower", relative, source])
    return table(["metric", "unit", "better", "what it is", "source"], rows)


def _measurement_table() -> str:
    return table(
        ["metric", "unit", "better", "what it is", "source"],
        _measurement_rows(*measurement_metrics()),
    )


def _measurement_rows(*metrics: MeasurementMetric) -> Iterator[list[str]]:
    for each in metrics:
        explanation, source = _MEASURED[each.name]
        yield [
            code(each.name),
            each.unit,
            _direction(higher_is_better=each.higher_is_better),
            f"{each.title}. {explanation}",
            source,
        ]


def _unit(unit: str) -> str:
    return "the label's" if unit == "label" else unit


def _explanation(summary: str, *, needs_original: bool) -> str:
    return f"{summary} The original itself has none." if needs_original else summary


def _direction(*, higher_is_better: bool | None) -> str:
    if higher_is_better is None:
        return "neither"
    return "higher" if higher_is_better else "lower"
