"""Integers answer first; where their two best classes are close, the float model is asked.

Rounding changes a classifier's answer only where two classes are close. A file with both models
lets the integers answer what they are sure of; where most samples are clear, it takes hardly longer
than they do.

Rules:

1. The integers' answer stands where its lead is at least three times the noise that rounding leaves
   between the two best classes, and above every lead with which they were wrong; both are taken on
   calibration samples. The lead is that of logits: of probabilities it is that of their logarithms.
2. Each sample is decided by itself: what else is in the batch changes no answer. An answer that is
   no number never stands.
3. The float model is the cleaned one, and runs only when a sample of the batch asks for it. Most
   samples take the time of the integers, the others at least that of both.
4. The file is as large as both, so this is for latency, never for size.

Source: Park et al., Big/LITTLE Deep Neural Network for Ultra Low Power Inference, 2015, for the two
models and the margin between them; where the margin lies is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    TensorProto,
    ValueInfoProto,
    compose,
    helper,
    numpy_helper,
)

from edgeworthy.documents.variant import QuantizationRecipe
from edgeworthy.errors import OptimizationError
from edgeworthy.graph import model_signature
from edgeworthy.optimization.calibration import affordable_samples, first_runs
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import PACKING
from edgeworthy.optimization.static_variant import make_ready, quantize_ready
from edgeworthy.optimization.wiring import Wiring, editable, fresh_name
from edgeworthy.optimization.workbench import Calibration, Workbench

Scores = NDArray[np.float64]
#: Standard deviations of the noise that a lead must exceed.
DEVIATIONS = 3.0
_SCORES_RANK = 2
#: How far the probabilities of a sample may be from 1 together.
_ONE_WITHIN = 1e-3
_LEAST_PROBABILITY = 1e-30
_SINGLE = np.finfo(np.float32)
_STEPS_BEYOND = 16.0


@dataclass(frozen=True)
class CloseCall:
    """When the float model is asked.

    Attributes:
        lead: Below this lead of the best class, in logits.
        probabilities: Whether the model gives probabilities instead of logits.
    """

    lead: float
    probabilities: bool


def make_cascade(work: Workbench, recipe: QuantizationRecipe, calibration: Calibration) -> None:
    """Turn the cleaned float graph on the bench into one that asks itself only on close calls.

    Raises:
        OptimizationError: The model is no classifier, or its graph does not allow integers.
        InferenceError: The engine cannot run a graph on the way.
    """
    output = _scores_of(work.model)
    make_ready(work)
    original = work.model
    reference = work.proof.outputs(original)
    quantize_ready(work, recipe, calibration)
    work.say("cascade")
    wanted, found = (
        _scores(model, output, calibration, limit=affordable_samples(original))
        for model in (original, work.model)
    )
    close = close_call(wanted, found)
    asked = int((leads(found, probabilities=close.probabilities) < close.lead).sum())
    work.model = joined(original, work.model, close)
    work.note(
        "cascade",
        f"float answers below a lead of {close.lead:.3g}; "
        f"{asked} of {len(found)} calibration samples ask it",
        changed=True,
    )
    work.apply(PACKING)
    work.note_run(reference)


def close_call(wanted: Scores, found: Scores) -> CloseCall:
    """When integers need not be believed.

    Args:
        wanted: Scores of the float model, ``(n, classes)``.
        found: Scores of the integer model on the same samples.

    Raises:
        OptimizationError: There is one class only, or a score is not finite.

    >>> wanted = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]])
    >>> round(close_call(wanted, wanted + [[0.1, 0.0, 0.0], [0.0, 0.0, 0.1]]).lead, 3)
    0.3
    """
    if found.shape[1] < _SCORES_RANK:
        raise OptimizationError("one class is never close to another")
    if not (np.isfinite(wanted).all() and np.isfinite(found).all()):
        raise OptimizationError("scores on the calibration samples are not finite")
    probabilities = _are_probabilities(wanted)
    wanted, found = (_logits(each, probabilities=probabilities) for each in (wanted, found))
    best = np.argsort(-found, axis=1, kind="stable")[:, :2]
    changes = np.take_along_axis(found - wanted, best, axis=1)
    noise = float(np.sqrt(np.mean((changes[:, 0] - changes[:, 1]) ** 2)))
    wrong = leads(found)[wanted.argmax(axis=1) != best[:, 0]]
    # The file tells leads in single precision, so that the margin lies some of its steps beyond.
    beyond = wrong.max() * (1.0 + _STEPS_BEYOND * _SINGLE.eps) + _SINGLE.tiny if wrong.size else 0.0
    return CloseCall(float(np.float32(max(DEVIATIONS * noise, float(beyond)))), probabilities)


def leads(scores: Scores, *, probabilities: bool = False) -> Scores:
    """By how much each sample's best class leads, ``(n,)``, in logits.

    >>> leads(np.array([[1.0, 3.5, 2.0]])).tolist()
    [1.5]
    """
    logits = _logits(scores, probabilities=probabilities)
    best = np.partition(logits, -2, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0])


def joined(original: ModelProto, integers: ModelProto, close: CloseCall) -> ModelProto:
    """One model of both; they have the same inputs, output and operator set.

    Args:
        original: The float model.
        integers: What answers first.
        close: When the float model is asked.
    """
    result = editable(integers)
    graph = result.graph
    output = original.graph.output[0]
    taken = Wiring(graph).names() | {node.name for node in graph.node}
    first = fresh_name(taken, f"{output.name}/integers")
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [first if name == output.name else name for name in names]
    inner = _prefixed(original.graph, taken)
    margin = _Margin.on(graph, first, close, taken)
    kept, chosen = (fresh_name(taken, f"{output.name}/{wish}") for wish in ("kept", "chosen"))
    floats = _branch("float", output, "Where", [margin.stands, first, inner.output[0].name], chosen)
    choice = floats.node.pop()
    floats.node.extend([*inner.node, choice])
    floats.initializer.extend(inner.initializer)
    graph.node.append(
        helper.make_node(
            "If",
            [margin.all_stand],
            [output.name],
            name=fresh_name(taken, "cascade"),
            then_branch=_branch("integers", output, "Identity", [first], kept),
            else_branch=floats,
        )
    )
    return result


@dataclass(frozen=True)
class _Margin:
    """Names of what tells close calls in a graph.

    Attributes:
        stands: Whether the integers' answer to each sample stands, ``(n, 1)``; an answer that is no
            number does not.
        all_stand: Whether all of them do.
    """

    stands: str
    all_stand: str

    @classmethod
    def on(cls, graph: GraphProto, scores: str, close: CloseCall, taken: set[str]) -> _Margin:
        """Add it behind these scores: as few nodes as there can be, since each sample waits."""

        def constant(wish: str, value: NDArray[Any]) -> str:
            name = fresh_name(taken, f"cascade/{wish}")
            graph.initializer.append(numpy_helper.from_array(value, name))
            return name

        def add(operator: str, inputs: list[str], *wishes: str, **attributes: int) -> str:
            names = [fresh_name(taken, f"cascade/{wish}") for wish in wishes]
            node = helper.make_node(operator, inputs, names, name=names[0])
            node.attribute.extend(
                helper.make_attribute(key, value) for key, value in attributes.items()
            )
            graph.node.append(node)
            return names[0]

        two = constant("two", np.array([2], dtype=np.int64))
        best = add("TopK", [scores, two], "best_scores", "best_classes", axis=1)
        if graph.output[0].type.tensor_type.elem_type != TensorProto.FLOAT:
            best = add("Cast", [best], "best_singles", to=TensorProto.FLOAT)
        if close.probabilities:
            least = constant("least", np.array(_LEAST_PROBABILITY, dtype=np.float32))
            best = add("Log", [add("Max", [best, least], "best_possible")], "best_logits")
        apart = constant("apart", np.array([[1.0], [-1.0]], dtype=np.float32))
        leads = add("MatMul", [best, apart], "leads")
        enough = constant("enough", np.array(close.lead, dtype=np.float32))
        stands = add("GreaterOrEqual", [leads, enough], "stands")
        number = add("Cast", [stands], "stands_number", to=TensorProto.INT32)
        every = add("ReduceMin", [number], "all_number", keepdims=0)
        return cls(stands, add("Cast", [every], "all_stand", to=TensorProto.BOOL))


def _prefixed(original: GraphProto, taken: set[str]) -> GraphProto:
    """The float model with names of its own, but for its inputs; they are taken afterwards."""
    prefix = fresh_name(taken, "float")
    while any(name.startswith(f"{prefix}/") for name in taken):
        prefix = fresh_name(taken, "float")
    inner: GraphProto = compose.add_prefix_graph(original, f"{prefix}/", rename_inputs=False)
    taken.update(name for node in inner.node for name in (*node.input, *node.output, node.name))
    taken.update(tensor.name for tensor in inner.initializer)
    return inner


def _branch(
    name: str, output: ValueInfoProto, operator: str, inputs: list[str], result: str
) -> GraphProto:
    """A graph of one node whose output is like another one."""
    branch = GraphProto(name=name)
    branch.node.append(helper.make_node(operator, inputs, [result], name=result))
    branch.output.add().CopyFrom(output)
    branch.output[0].name = result
    return branch


def _scores_of(model: ModelProto) -> str:
    """The output with a score per class.

    Raises:
        OptimizationError: There is none, or there are other outputs.
    """
    outputs = model_signature(model).outputs
    is_scores = len(outputs) == 1 and len(outputs[0].shape) == _SCORES_RANK
    if not is_scores or outputs[0].shape[1] == 1 or "float" not in outputs[0].dtype:
        given = ", ".join(f"`{each.name}` {each.dtype} {list(each.shape)}" for each in outputs)
        raise OptimizationError(  # a refusal tells the problem alone
            "a cascade asks float where two classes are close, and this model has none: it gives "
            f"{given} instead of one output of float scores [batch, classes]",
            next_step='Take the recipe\'s integers alone, `precision = "int8-static"`',
        )
    return outputs[0].name


def _scores(model: ModelProto, output: str, calibration: Calibration, *, limit: int) -> Scores:
    executor = Executor(model, optimized=True)
    runs = first_runs(model, calibration(), [output], limit=limit)
    return np.concatenate([executor.run(run, [output])[output] for run in runs]).astype(np.float64)


def _are_probabilities(scores: Scores) -> bool:
    sums = scores.sum(axis=1)
    return bool((scores >= 0.0).all() and (np.abs(sums - 1.0) < _ONE_WITHIN).all())


def _logits(scores: Scores, *, probabilities: bool) -> Scores:
    return np.log(np.maximum(scores, _LEAST_PROBABILITY)) if probabilities else scores
