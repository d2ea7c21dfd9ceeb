"""What a class of CPU that is not at hand will make of an artefact: an estimate, no evidence."""

from __future__ import annotations

from typing import ClassVar

from edgeworthy.documents.dataset import DatasetReference
from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.evaluation import MetricValue
from edgeworthy.documents.record import Document, Record


class NodeSaturation(Record, frozen=True, kw_only=True):
    """Integer sums of one node that did not fit 16 bits.

    Attributes:
        node: Name of the node.
        pair_ratio: Share of the sums of two products that left 16 bits.
        output_ratio: Share of the node's output numbers that this changed.
        mean_shift_steps: Mean absolute change of an output number, in steps of the output.
        largest_shift_steps: Largest change, in steps of the output.
    """

    node: str
    pair_ratio: float
    output_ratio: float
    mean_shift_steps: float
    largest_shift_steps: float


class Prediction(Document, frozen=True, kw_only=True):
    """Metrics of one artefact on classes of CPU, by emulation of their integer arithmetic.

    The gate takes no prediction for a measurement.

    Attributes:
        artifact: Digest of the file.
        original: Digest of the model that it is compared with.
        variant: Its name.
        instruction_sets: Classes of CPU that give these outputs.
        dataset: The samples.
        sample_count: How many of them, from the first, were emulated.
        metrics: On those samples, the drop against the original on the same ones.
        saturation: Nodes whose sums left 16 bits, the largest mean shift first.
        refusal: Why nothing could be predicted; empty when something was.
        seed: Seed of the bootstrap.
        tool_versions: As ``name version``, sorted.
    """

    KIND: ClassVar[str] = "prediction"

    artifact: str
    original: str
    variant: str
    instruction_sets: tuple[InstructionSet, ...]
    dataset: DatasetReference
    sample_count: int
    metrics: tuple[MetricValue, ...]
    saturation: tuple[NodeSaturation, ...]
    refusal: str
    seed: int
    tool_versions: tuple[str, ...]
