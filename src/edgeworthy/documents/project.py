"""``edgeworthy.toml``: what to build, from what, for whom, and what must hold.

Rules:

1. Strict: an unknown key, a missing key or a wrong type is an error with its path.
2. Names that refer to each other (a requirement's target, say) are checked by the workflow, which
   sees the whole file.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Ratio = Annotated[float, Meta(gt=0, lt=1)]
Positive = Annotated[int, Meta(ge=1)]

Task = Literal["classification", "regression", "anomaly", "detection", "segmentation", "embedding"]
#: How a detector writes a box: corners, or a corner or the center with width and height.
BoxFormat = Literal["xyxy", "yxyx", "xywh", "cxcywh"]
Scores = Literal["logits", "probabilities"]
DataFormat = Literal["npz", "image-folder", "wav-folder", "csv", "parquet", "function"]
#: How much work an evaluation may be.
ProfileName = Literal["quick", "standard", "thorough"]
#: What an evaluation can look into beyond the metrics.
ExaminationName = Literal["confidence", "slices", "corruptions"]
Resize = Literal["none", "nearest", "bilinear", "bicubic"]
#: What a raw sample is; decides which corruptions apply to it.
SampleKind = Literal["image", "sound", "series", "table", "features"]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the project file."""


class ProjectSection(_Section, frozen=True, kw_only=True):
    """``[project]``: the name and version that the release will carry.

    Attributes:
        name: Name of the release.
        version: Its version; with the name it names the folder of the release.
        description: One sentence for people.
    """

    name: Name
    version: Name
    description: str = ""


class InputSection(_Section, frozen=True, kw_only=True):
    """``[model.inputs.NAME]``: how a raw sample becomes this input.

    Attributes:
        layout: One letter per axis of the model's input, for example ``NCHW`` or ``NTC``;
            N is the batch. Samples that arrive in another order are transposed.
        mean: Subtracted from the raw values: one figure, or one per channel.
        std: Divided by after that: one figure, or one per channel.
        pin: Sizes for dynamic axes other than the batch, by the name in the graph.
        resize: How an image of another size is made to fit; ``none`` makes it an error.
        sample_rate_hz: Required rate of wav files.
    """

    layout: Annotated[str, Meta(pattern=r"^(N[A-Z]*)?$")] = ""
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Annotated[float, Meta(gt=0)], ...] = (1.0,)
    pin: dict[str, Positive] = {}
    resize: Resize = "none"
    sample_rate_hz: Positive | None = None


class ModelSection(_Section, frozen=True, kw_only=True):
    """``[model]``: the trained model and what it means.

    Attributes:
        path: The ONNX file, relative to the project file.
        task: What the outputs mean.
        output: The output that is judged; empty for the first.
        outputs: For a detector with several: the outputs with its ``boxes``, ``scores`` and
            ``classes``.
        boxes: How a detector writes a box; true boxes are always x1, y1, x2, y2.
        scores: Whether a classifier's output needs a softmax.
        threshold: Anomaly score from which an alarm is raised.
        labels: Class names in the order of the output.
        inputs: Preparation per input, by name.
        license: SPDX expression of the weights.
        origin: Where the model came from.
    """

    path: str
    task: Task
    output: str = ""
    outputs: dict[str, str] = {}
    boxes: BoxFormat = "xyxy"
    scores: Scores = "logits"
    threshold: float | None = None
    labels: tuple[str, ...] = ()
    inputs: dict[str, InputSection] = {}
    license: str = ""
    origin: str = ""


class DataSection(_Section, frozen=True, kw_only=True):
    """``[data.NAME]``: labelled samples.

    Attributes:
        path: File or folder, relative to the project file; unused for ``function``.
        format: Found from the path when left out.
        function: ``module:function`` in the project's folder, for ``format = "function"``.
        inputs: npz array, or columns of a table, by model input; empty for the only one.
        labels: npz array or table column with the labels.
        slices: npz arrays or table columns that group samples.
        series: Table column that says which rows form one sample; empty: each row is one.
        rows: Half-open range ``[first, last]`` of samples to take; empty for all.
        license: SPDX expression of the samples.
        origin: Where they came from.
    """

    path: str = ""
    format: DataFormat | None = None
    function: str = ""
    inputs: dict[str, str | tuple[str, ...]] = {}
    labels: str = ""
    slices: tuple[str, ...] = ()
    series: str = ""
    rows: tuple[int, int] | None = None
    license: str = ""
    origin: str = ""


class TargetSection(_Section, frozen=True, kw_only=True):
    """``[targets.NAME]``: a class of device that the model must run on.

    Attributes:
        device: Name of a device profile, or path of one (``.toml``); ``host`` is this machine.
        runtimes: Engines that may run it there.
        threads: Threads of the engine inside one inference.
        prefer: Which of the variants that pass is shipped.
    """

    device: str = "host"
    runtimes: Annotated[tuple[str, ...], Meta(min_length=1)] = ("onnxruntime",)
    threads: Positive = 1
    prefer: Literal["latency", "size", "accuracy"] = "latency"


class RequirementSection(_Section, frozen=True, kw_only=True):
    """``[[require]]``: one bound that must hold; exactly one of the three bounds is given.

    Attributes:
        metric: Name of a metric, for example ``accuracy`` or ``latency_p90_ms``.
        slice: ``column=value`` for one slice, ``column=*`` for each of a column.
        corruption: For figures under corruption: one of them, a group, or ``*`` for each; empty
            for the mean over all.
        severity: 1 to 5, for a figure under corruption; left out, the mean over the severities.
        target: Name of a target; empty for each.
        at_least: Lower bound.
        at_most: Upper bound.
        drop_at_most: How much worse than the original model it may be, in the metric's unit.
        confidence: Coverage of the interval that is held against the bound.
    """

    metric: str
    slice: str = ""
    corruption: str = ""
    severity: Annotated[int, Meta(ge=1, le=5)] | None = None
    target: str = ""
    at_least: float | None = None
    at_most: float | None = None
    drop_at_most: Annotated[float, Meta(ge=0)] | None = None
    confidence: Ratio = 0.95


class MeasureSection(_Section, frozen=True, kw_only=True):
    """``[measure]``: how much time measuring may take.

    Attributes:
        query_count: Timed inferences per variant, at least.
        budget_s: Seconds per variant after which no more are begun.
        starts: How often each variant's process is started; starts are what intervals of latency
            and memory are made from. Left out, the fewest that the confidences allow.
        tolerance: Timed answers are held against those of an untimed run of the same file; share of
            the largest value of an output that a value may be off.
        sustained_s: Seconds for which the variant that ships runs without pause, to see what heat
            leaves of its speed; left out, it does not.
        operators: Whether to say where the time of the variant that ships goes, operator by
            operator, against the limits of this machine.
        sweep: Settings to try with the variant that ships: ``threads``, ``batch``, ``affinity``.
    """

    query_count: Annotated[int, Meta(ge=30)] = 1000
    budget_s: Annotated[float, Meta(gt=0)] = 10.0
    starts: Annotated[int, Meta(ge=2, le=1000)] | None = None
    tolerance: Annotated[float, Meta(ge=0)] = 1e-3
    sustained_s: Annotated[float, Meta(ge=1)] | None = None
    operators: bool = False
    sweep: tuple[Literal["threads", "batch", "affinity"], ...] = ()


class CorruptionsSection(_Section, frozen=True, kw_only=True):
    """``[evaluate.corruptions]``: what is done to the samples.

    Attributes:
        kind: What a raw sample is; found from the data when left out.
        input: The input that is corrupted, of a model with several; empty for the first.
        names: Corruptions and groups to try; empty for all of the kind.
        leave_out: Corruptions and groups not to try.
    """

    kind: SampleKind | None = None
    input: str = ""
    names: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


class EvaluateSection(_Section, frozen=True, kw_only=True):
    """``[evaluate]``: what an evaluation looks into beyond the metrics.

    Attributes:
        profile: How much work it may be: about 1, 10 or 60 minutes for a small model on two
            cores. Left out, a build does only what takes seconds.
        only: What to look into; left out, everything that the profile allows.
        corruptions: What is done to the samples to see how the artefacts take it.
    """

    profile: ProfileName | None = None
    only: tuple[ExaminationName, ...] = ()
    corruptions: CorruptionsSection = CorruptionsSection()


class OptimizeSection(_Section, frozen=True, kw_only=True):
    """``[optimize]``: what may take the place of the float model, and other ways to make versions.

    Attributes:
        margin: Largest loss of the task's first metric that still counts as none, in the metric's
            unit. Left out, the smallest ``drop_at_most`` that is required of that metric, or else
            0.02 of a metric that is a share and two per cent of any other.
        confidence: Coverage of the interval of the loss that must lie within the margin.
        recipes: Recipe files whose versions a build makes as well, for every target.
    """

    margin: Annotated[float, Meta(ge=0)] | None = None
    confidence: Ratio = 0.95
    recipes: tuple[str, ...] = ()


class ReleaseSection(_Section, frozen=True, kw_only=True):
    """``[release]``: where the signed release goes and who signs it.

    Attributes:
        key: Private key: a path, or a securesystemslib URI (``hsm:``, ``awskms:`` and so on).
        passphrase_file: File with the passphrase; left out, the terminal is asked.
        directory: Folder for the release and the report, relative to the project file.
        golden_count: Samples that travel with the release for the device's self-test.
        evidence_days: Days until the evidence expires.
    """

    key: str
    passphrase_file: str = ""
    directory: str = "dist"
    golden_count: Annotated[int, Meta(ge=1, le=1000)] = 16
    evidence_days: Positive = 90


class ProjectFile(_Section, frozen=True, kw_only=True):
    """The whole of ``edgeworthy.toml``.

    Attributes:
        project: What is built.
        model: From which model.
        data: From and on which samples; ``evaluation`` is required.
        targets: For which devices; left out, for this machine.
        require: What must hold.
        measure: How much time measuring may take.
        optimize: What may take the place of the float model.
        evaluate: What evaluating looks into.
        release: Who signs; left out, nothing is released.
        seed: Seed of everything that draws random numbers.
    """

    project: ProjectSection
    model: ModelSection
    data: dict[Name, DataSection]
    targets: dict[Name, TargetSection] = {}
    require: tuple[RequirementSection, ...] = ()
    measure: MeasureSection = MeasureSection()
    optimize: OptimizeSection = OptimizeSection()
    evaluate: EvaluateSection = EvaluateSection()
    release: ReleaseSection | None = None
    seed: int = 0
