"""A comparison as a table and sentences."""

from __future__ import annotations

from rich.text import Text

from edgeworthy.cli.output import console, figure, interval, note, table
from edgeworthy.documents.comparison import Comparison
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Measurement

_COLORS = {"faster": "green", "slower": "red"}
#: Drift is told when chance would hardly show it and it is large enough to matter.
_TOLD_P_VALUE = 0.01
_TOLD_CHANGE_RATIO = 0.01
_TOLD_DISTURBED_RATIO = 0.05
_MEDIAN = 50.0


def print_comparison(comparison: Comparison) -> None:
    """The verdict first, then what it rests on."""
    out = console()
    color = _COLORS.get(comparison.verdict, "yellow")
    out.print(Text(comparison.sentence, style=f"bold {color}"))
    subject, baseline = comparison.subject, comparison.baseline
    title = (
        f"{subject.variant} against {baseline.variant}: {subject.runtime}, "
        f"{subject.threads} thread(s), {comparison.start_count} starts each"
    )
    made = table(title, "", "p50 ms", "load ms", "peak MiB", "KiB")
    for each in (subject, baseline):
        made.add_row(
            each.variant,
            _median(each),
            figure(each.load_time_ms.value),
            figure(each.peak_memory_mib.value),
            figure(each.size_kib.value),
        )
    out.print(made)
    out.print(f"ratio       x {_ratio(comparison.ratio)}")
    passed = "as it should be" if comparison.self_check.passed else "told apart from itself"
    out.print(f"self-check  x {_ratio(comparison.self_check.ratio)}, {passed}")
    for sentence in notes_of(comparison):
        out.print(note(sentence))


def notes_of(comparison: Comparison) -> list[str]:
    """What a reader should know beside the verdict, one sentence each."""
    notes = list(comparison.subject.disturbances)
    if not comparison.self_check.passed:
        notes.append(
            "This machine told the baseline from itself; the verdict had to clear that as well."
        )
    if comparison.outlying_starts:
        numbers = ", ".join(str(each) for each in comparison.outlying_starts)
        notes.append(f"The ratio of start {numbers} stands apart from the others'.")
    if comparison.disturbed_turn_ratio > _TOLD_DISTURBED_RATIO:
        share = comparison.disturbed_turn_ratio * 100
        notes.append(f"{share:.0f} % of the turns were disturbed: the machine is not quiet.")
    return [*notes, *_drift_notes(comparison), *_output_notes(comparison)]


def _drift_notes(comparison: Comparison) -> list[str]:
    drift = comparison.drift
    if drift is None:
        return []
    found = (
        ("latency of the baseline", drift.baseline_change_ratio, drift.baseline_p_value),
        ("ratio itself", drift.ratio_change_ratio, drift.ratio_p_value),
    )
    return [
        f"The {name} drifted by {change * 100:+.1f} % over the run."
        for name, change, p_value in found
        if p_value < _TOLD_P_VALUE and abs(change) > _TOLD_CHANGE_RATIO
    ]


def _output_notes(comparison: Comparison) -> list[str]:
    outputs = comparison.outputs
    if outputs is None:
        return ["The outputs of the two do not compare: other names or shapes."]
    if not outputs.largest_difference:
        return []
    same = outputs.same_choice_ratio
    choice = "" if same is None else f"; the largest score agrees on {same * 100:.0f} %"
    sentence = (
        f"Over {outputs.sample_count} samples the outputs differ by up to "
        f"{outputs.largest_difference:.2g} where the largest is "
        f"{outputs.largest_output:.2g}{choice}."
    )
    return [sentence]


def _median(measurement: Measurement) -> str:
    found = [each.latency_ms for each in measurement.percentiles if each.percent == _MEDIAN]
    return interval(found[0]) if found and found[0] else "refused"


def _ratio(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"
