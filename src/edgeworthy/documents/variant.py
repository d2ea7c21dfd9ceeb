"""A version of the model for a class of device, and how it was made."""

from __future__ import annotations

from typing import ClassVar, Literal

from edgeworthy.documents.record import Document, Record

#: What measurements and evaluations of the model as it was given call it.
ORIGINAL = "original"

#: ``float32`` keeps the weights; ``float16`` stores them in half precision and ``int8-weights`` in
#: bytes, and both compute in float32; ``int8-dynamic`` quantizes the activations of matrix products
#: as they come; ``int8-static`` quantizes weights and activations beforehand; ``int8-cascade`` does
#: so too, and asks the float model, which lies in the same file, where two classes are close.
Precision = Literal[
    "float32", "float16", "int8-weights", "int8-dynamic", "int8-static", "int8-cascade"
]
IntegerType = Literal["int8", "uint8"]
#: ``float32`` is for precisions that leave activations alone.
ActivationType = Literal["int8", "uint8", "float32"]
#: ``nearest`` rounds each weight by itself; ``compensated`` lets the others make up for its error.
Rounding = Literal["nearest", "compensated"]
#: Where the mean shift of a channel comes from: ``empirical`` measures it on the samples,
#: ``analytic`` works it out from the means of the layer's inputs, ``none`` leaves the biases alone.
BiasCorrection = Literal["none", "analytic", "empirical"]
#: Which weights of a channel may not add up to more than 16-bit sums hold: ``neighbors`` those that
#: the engine multiplies in one step, ``any-two`` all, in whatever order an engine takes them.
SafePairs = Literal["neighbors", "any-two"]


class QuantizationRecipe(Record, frozen=True, kw_only=True):
    """How integers stand for reals.

    Nodes go by the names that the cleaned graph has; unnamed ones are named after their operator.

    Attributes:
        activation_type: Data type of activations; ``float32`` with the precision ``int8-weights``,
            ``uint8`` with ``int8-dynamic``.
        weight_type: Data type of weights.
        per_channel: One scale per output channel instead of one per tensor.
        reduced_range: Weights reduced to 7 to 8 bits, so that pairs of products fit 16-bit sums.
        calibration_method: How ranges are found: ``minmax``; ``moving-average``; ``percentile-P``,
            which cuts off ``100 - P`` percent of the values at either end; ``entropy``; ``mse``; or
            ``output-error``, which takes for each tensor the one that disturbs the outputs least.
        rounding: How weights become integers.
        bias_correction: Where the correction of biases comes from.
        smoothing_alpha: How much of the spread of activations moves into the weights, between 0 and
            1 (SmoothQuant); absent to move none.
        outlier_care: Whether, in a graph with attention, outliers move into weights as far as that
            lowers the noise, and where there are some nothing of what products read is cut off.
        equalization: Whether channels between two layers are brought to equal ranges.
        balancing: Whether channels are brought nearer to each other along the tensors that only
            convolutions make and read, where it is foretold to help.
        float_share: Of the multiply-accumulates, the most that layers may keep in float because
            they cause much of the noise.
        float_nodes: Nodes that compute in float all the same.
        full_range_nodes: Nodes whose weights keep all eight bits in a reduced range.
        safe_pairs: Which pairs of weights a reduced range keeps from saturating.
    """

    activation_type: ActivationType
    weight_type: IntegerType
    per_channel: bool
    reduced_range: bool
    calibration_method: str = "minmax"
    rounding: Rounding = "nearest"
    bias_correction: BiasCorrection = "empirical"
    smoothing_alpha: float | None = None
    outlier_care: bool = False
    equalization: bool = False
    balancing: bool = False
    float_share: float = 0.0
    float_nodes: tuple[str, ...] = ()
    full_range_nodes: tuple[str, ...] = ()
    safe_pairs: SafePairs = "any-two"


class Recipe(Record, frozen=True, kw_only=True):
    """All that is needed, with the model and the samples, to make a variant again.

    Attributes:
        name: For example ``float32`` or ``int8-u8s8-r7``.
        precision: Kind of arithmetic.
        quantization: Given for integer precisions.
    """

    name: str
    precision: Precision
    quantization: QuantizationRecipe | None = None


class PassRecord(Record, frozen=True, kw_only=True):
    """What one pass did.

    Attributes:
        name: The pass.
        changed: Whether the graph is another one afterwards (checked, not claimed).
        detail: What it did, or why it did nothing.
    """

    name: str
    changed: bool
    detail: str


class EquivalenceRecord(Record, frozen=True, kw_only=True):
    """Proof by trial that a rewrite kept the outputs.

    Attributes:
        sample_count: Inputs that were tried.
        inputs_digest: Digest of those inputs.
        seed: Seed of generated inputs; absent when samples were used.
        tolerance: Largest difference that was allowed, relative to the largest output.
        largest_difference: Largest difference found, on the same scale.
    """

    sample_count: int
    inputs_digest: str
    seed: int | None
    tolerance: float
    largest_difference: float


class Variant(Document, frozen=True, kw_only=True):
    """An artefact made from the original model.

    Attributes:
        name: Name of the recipe.
        recipe: How it was made.
        original: Digest of the model that it was made from.
        artifact: Digest of the file.
        size_bytes: Size of the file.
        calibration: Digest of the calibration samples, for integer precisions.
        passes: What was done, in order.
        equivalence: For rewrites that must not change outputs.
        tool_versions: As ``name version``, sorted.
    """

    KIND: ClassVar[str] = "variant"
    SCHEMA_VERSION: ClassVar[str] = "1.1"

    name: str
    recipe: Recipe
    original: str
    artifact: str
    size_bytes: int
    calibration: str | None = None
    passes: tuple[PassRecord, ...] = ()
    equivalence: EquivalenceRecord | None = None
    tool_versions: tuple[str, ...] = ()


class VariantRefusal(Record, frozen=True, kw_only=True):
    """A recipe that does not suit this model.

    Attributes:
        recipe: What was tried.
        reason: Why it makes no artefact, one sentence.
    """

    recipe: Recipe
    reason: str
