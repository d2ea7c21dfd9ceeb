"""The original model: what it is made of and where its arithmetic goes."""

from __future__ import annotations

from edgeworthy.documents.model import ModelInspection, OperatorCount, TensorSignature
from edgeworthy.reports.blocks import Block, Cell, Facts, Note, Row, Section, Table
from edgeworthy.reports.formatting import bytes_text, count_text, digest_short, share_text
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.marks import share_mark
from edgeworthy.reports.wording import plain

_MOST_OPERATORS = 20


def operators_section(index: BuildIndex) -> Section:
    """Facts about the model and its operators, most arithmetic first."""
    inspection = index.record.inspection
    blocks: list[Block] = [model_facts(inspection)]
    blocks += [Note(plain(warning), tone="caution") for warning in inspection.warnings]
    if inspection.operators:
        blocks.append(operator_table(inspection))
    return Section(
        key="operators",
        title="Original model and its operators",
        lead="Read from the file alone. Where the multiply-accumulates are, there is time to win.",
        blocks=tuple(blocks),
    )


def model_facts(inspection: ModelInspection) -> Facts:
    """What the file is."""
    producer = plain(inspection.producer) or "unknown"
    pairs = (
        ("Artefact", Cell(digest_short(inspection.artifact), hint=inspection.artifact)),
        ("File", Cell(bytes_text(inspection.size_bytes))),
        (
            "Format",
            Cell(
                f"{plain(inspection.model_format)}, opset {inspection.opset_version}, "
                f"IR {inspection.ir_version}, by {producer}"
            ),
        ),
        ("Inputs", Cell(_tensors(inspection.signature.inputs))),
        ("Outputs", Cell(_tensors(inspection.signature.outputs))),
        (
            "Weights",
            Cell(
                f"{count_text(inspection.parameter_count)}, {bytes_text(inspection.weight_bytes)}"
            ),
        ),
        ("Arithmetic", Cell(f"{count_text(inspection.mac_count)} MACs a sample")),
        ("Activations", Cell(f"{bytes_text(inspection.activation_peak_bytes)} at the peak")),
    )
    return Facts(terms=tuple(term for term, _ in pairs), items=tuple(cell for _, cell in pairs))


def _tensors(tensors: tuple[TensorSignature, ...]) -> str:
    return ", ".join(
        plain(f"{t.name} {t.dtype} [{', '.join(str(size) for size in t.shape)}]") for t in tensors
    )


def operator_table(inspection: ModelInspection) -> Table:
    """The census, with each operator's share of the arithmetic."""
    shown = inspection.operators[:_MOST_OPERATORS]
    return Table(
        caption="Operators of the original model",
        columns=("Operator", "Nodes", "MACs a sample", "Share of the arithmetic"),
        rows=tuple(_row(entry, inspection.mac_count) for entry in shown),
    )


def _row(entry: OperatorCount, total: int) -> Row:
    name = f"{entry.domain}:{entry.op_type}" if entry.domain else entry.op_type
    return Row(
        (
            Cell(plain(name)),
            Cell(f"{entry.node_count:,}", tone="number"),
            Cell(count_text(entry.mac_count), tone="number"),
            Cell(share_text(entry.mac_count, total), mark=share_mark(entry.mac_count, total)),
        )
    )
