"""``edgeworthy evaluate``: how good, per slice, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from edgeworthy.cli.compare import print_comparison, print_findings
from edgeworthy.cli.corruptions import print_corruptions
from edgeworthy.cli.options import ExplainOption, JsonOption, ProjectOption
from edgeworthy.cli.output import (
    console,
    folded,
    interval,
    print_json,
    print_outcomes,
    table,
)
from edgeworthy.cli.session import opened_project, shown_progress
from edgeworthy.documents.evaluation import Evaluation, TemperatureFit
from edgeworthy.documents.project import ProfileName
from edgeworthy.errors import UsageError

_SHOWN_CONFIDENCE = 0.95
#: Characters that a name may always take, and that a figure with its interval takes on one line
#: and on several.
_NAME_WIDTH, _FIGURE_WIDTH, _FOLDED_FIGURE_WIDTH = 18, 24, 12


CompareOption: TypeAlias = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        "--compare",
        help="Instead, compare two models on the project's samples: ONNX files or releases. With "
        "--data, two files on those samples.",
        metavar="OLD NEW",
    ),
]


ProfileOption: TypeAlias = Annotated[
    ProfileName | None,
    typer.Option(
        "--profile",
        help="How much to look into: about 1, 10 or 60 minutes for a small model on two cores.",
    ),
]
OnlyOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--only", help="Look into these alone, for example confidence.", metavar="NAME,NAME"
    ),
]


ModelArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(help="An ONNX or .tflite file, with --data; left out, the project's variants."),
]
DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="npz file with an array per input, and the labels.", metavar="FILE"),
]
LabelsOption: TypeAlias = Annotated[
    str, typer.Option(help="Array with the labels; left out, `labels` or `y`.", metavar="KEY")
]
RuntimeOption: TypeAlias = Annotated[
    str, typer.Option(help="Engine; left out, the one that reads such files.", metavar="NAME")
]


def evaluate(
    model: ModelArgument = None,
    project: ProjectOption = Path(),
    profile: ProfileOption = None,
    only: OnlyOption = None,
    compare: CompareOption = None,
    data: DataOption = None,
    labels: LabelsOption = "",
    runtime: RuntimeOption = "",
    as_json: JsonOption = False,
    explain: ExplainOption = False,
) -> None:
    """Evaluate each variant: metrics with intervals, per slice, flips against the original.

    Example: edgeworthy evaluate --project digits
    """
    if compare is not None:
        _check_compared(compare, model)
    if data is not None and compare is not None:
        _compare_files(compare, data, (labels, runtime), as_json=as_json)
        return
    if model is not None or data is not None:
        _evaluate_file(model, data, (labels, runtime), as_json=as_json)
        return
    with opened_project(project) as opened:
        if compare is not None:
            compared = opened.compare(*compare)
        else:
            from edgeworthy.workflow.examinations.registry import named

            evaluations = opened.evaluate(profile, named(only) if only is not None else ())
    if compare is not None:
        print_json(compared) if as_json else print_comparison(compared)
        return
    if as_json:
        print_json(evaluations)
        return
    print_evaluations(evaluations)
    if explain:
        print_outcomes(opened.outcomes)


def _check_compared(files: tuple[Path, Path], model: Path | None) -> None:
    # With one file the option behind it is taken for the second.
    option = next((each for each in map(str, files) if each.startswith("-")), "")
    if option:
        raise UsageError(
            "--compare takes two files, the old and the new",
            found=f"`{option}` as one of them",
            next_step="Write for example `edgeworthy evaluate --compare old.onnx new.onnx --data "
            "samples.npz`; a name that begins with a dash as `./-name`",
        )
    if model is not None:
        raise UsageError(
            "one model is evaluated, or two are compared",
            found=f"`{model}` beside --compare",
            next_step=f"Leave `{model}` or --compare out",
        )


def _evaluate_file(
    model: Path | None, data: Path | None, options: tuple[str, str], *, as_json: bool
) -> None:
    from edgeworthy.workflow.bare_evaluation import evaluate_file

    if model is None or data is None:
        raise UsageError(
            "a bare model and its samples go together",
            next_step="Write for example `edgeworthy evaluate model.tflite --data samples.npz`, or "
            "`--compare old.onnx new.onnx --data samples.npz`",
        )
    labels, runtime = options
    with shown_progress() as progress:
        evaluation = evaluate_file(model, data, labels=labels, runtime=runtime, progress=progress)
    print_json(evaluation) if as_json else print_evaluations([evaluation])


def _compare_files(
    files: tuple[Path, Path], data: Path, options: tuple[str, str], *, as_json: bool
) -> None:
    from edgeworthy.workflow.bare_evaluation import compare_files

    labels, runtime = options
    with shown_progress() as progress:
        compared = compare_files(*files, data, labels=labels, runtime=runtime, progress=progress)
    print_json(compared) if as_json else print_comparison(compared)


def print_evaluations(evaluations: Sequence[Evaluation]) -> None:
    """Per target: each metric on all samples, the first metric per slice, and the flips."""
    out = console()
    for target in dict.fromkeys(each.target for each in evaluations):
        rows = [each for each in evaluations if each.target == target]
        data = rows[0].dataset
        names = [each.variant for each in rows]
        figures = [_figures(each) for each in rows]
        keys = list(dict.fromkeys(key for each in figures for key in each))
        title = f"On {data.sample_count} samples of {data.name}, for {target}"
        made = table(title, "metric", *names)
        made.columns[0].no_wrap = out.width >= _NAME_WIDTH + _FOLDED_FIGURE_WIDTH * len(names)
        for metric, part in keys:
            if not part:
                name = folded(metric, max(_NAME_WIDTH, out.width - _FIGURE_WIDTH * len(names)))
                made.add_row(name, *(each.get((metric, part), "") for each in figures))
        out.print(made)
        primary = keys[0][0]
        slices = table(f"{primary} per slice", "slice", *names)
        for metric, part in keys:
            if part and metric == primary:
                slices.add_row(part, *(each.get((metric, part), "") for each in figures))
        if slices.row_count:
            out.print(slices)
        print_corruptions(rows)
        for each in rows:
            if each.flips is not None:
                out.print(
                    f"{each.variant}: {each.flips.negative_count} right answers lost, "
                    f"{each.flips.positive_count} gained, {each.flips.changed_count} changed"
                )
            if each.temperature is not None:
                out.print(f"{each.variant}: {temperature_in_words(each.temperature)}")
            print_findings(each.findings)


def temperature_in_words(fit: TemperatureFit) -> str:
    """What a device divides logits by, or why by nothing."""
    if fit.temperature is None:
        return f"no temperature: {fit.refusal}"
    samples = f"{fit.sample_count} samples of {fit.dataset.name}"
    return f"temperature {interval(fit.temperature)}, fitted on {samples}"


def _figures(evaluation: Evaluation) -> dict[tuple[str, str], str]:
    return {
        (each.metric, each.slice): interval(each.estimate)
        for each in evaluation.metrics
        if each.estimate.confidence in {_SHOWN_CONFIDENCE, 1.0}
    }
