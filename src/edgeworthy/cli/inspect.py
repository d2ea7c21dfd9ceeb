"""``edgeworthy inspect``: what a model is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeworthy.cli.options import JsonOption, ProjectOption
from edgeworthy.cli.output import console, note, print_json, table
from edgeworthy.cli.session import opened_project
from edgeworthy.documents.model import ModelInspection, ModelSignature

#: Operators that are listed one by one.
_MOST_OPERATORS = 12


def inspect(
    model: Annotated[
        Path | None, typer.Argument(help="An ONNX or .tflite file; left out, the project's model.")
    ] = None,
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Say what a model is: inputs, operators, arithmetic, memory, and what is odd about it.

    Example: edgeworthy inspect model.onnx
    """
    if model is not None:
        from edgeworthy.graph import inspect_model

        inspection = inspect_model(model)
    else:
        with opened_project(project) as opened:
            inspection = opened.inspect()
    if as_json:
        print_json(inspection)
    else:
        print_inspection(inspection)


def print_inspection(inspection: ModelInspection) -> None:
    """An inspection as tables."""
    facts = table("Model", "", "")
    facts.add_row("digest", inspection.artifact)
    facts.add_row("size", f"{inspection.size_bytes / 1024:.1f} KiB")
    facts.add_row("format", _format(inspection))
    facts.add_row("parameters", f"{inspection.parameter_count:,}")
    facts.add_row("arithmetic", f"{inspection.mac_count:,} multiply-adds per sample")
    facts.add_row("activations", f"{inspection.activation_peak_bytes / 1024:.1f} KiB (estimate)")
    for name, shape in _tensors(inspection.signature):
        facts.add_row(name, shape)
    out = console()
    out.print(facts)
    census = table(
        "Operators", "operator", "nodes", "multiply-adds", right=("nodes", "multiply-adds")
    )
    for each in inspection.operators[:_MOST_OPERATORS]:
        name = f"{each.domain}.{each.op_type}" if each.domain else each.op_type
        census.add_row(name, str(each.node_count), f"{each.mac_count:,}")
    if len(inspection.operators) > _MOST_OPERATORS:
        census.add_row(f"and {len(inspection.operators) - _MOST_OPERATORS} more", "", "")
    out.print()
    out.print(census)
    for warning in inspection.warnings:
        out.print(note(warning))


def _format(inspection: ModelInspection) -> str:
    if inspection.model_format == "tflite":
        return f"TensorFlow Lite, schema {inspection.opset_version}, {inspection.producer}"
    return f"ONNX opset {inspection.opset_version}, {inspection.producer}"


def _tensors(signature: ModelSignature) -> list[tuple[str, str]]:
    pairs = [("input", each) for each in signature.inputs]
    pairs += [("output", each) for each in signature.outputs]
    return [
        (kind, f"{each.name} {each.dtype} ({', '.join(map(str, each.shape))})")
        for kind, each in pairs
    ]
