"""Run an integer model as it would run on another class of CPU.

Rules:

1. Integer products are computed here, by our own arithmetic; everything between them (float
   operators, pooling, rounding to bytes, reshaping) is the same on every class, and the engine runs
   it on this CPU. It may lay float convolutions out as it does on the whole model, so that floats
   are added up in the same order: the last bits of a float layer decide between two integers.
2. An integer product that we cannot emulate is an error, never a silent run on this CPU.
3. A tensor is forgotten after its last reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.model import ModelSignature
from edgeworthy.errors import InferenceError
from edgeworthy.graph import model_signature
from edgeworthy.optimization.emulation.arithmetic import Arithmetic, arithmetic_of
from edgeworthy.optimization.emulation.fusion import fused
from edgeworthy.optimization.emulation.kernels import KERNELS, UNKNOWN
from edgeworthy.optimization.emulation.products import Tally
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.wiring import STANDARD_DOMAINS, names_read
from edgeworthy.runtimes.base import Session

Values = dict[str, NDArray[Any]]


class Emulator(Session):
    """A model on a class of CPU; takes the place of an engine's session.

    Args:
        data: An ONNX file, integer or not.
        instruction_set: The class of CPU.

    Attributes:
        tallies: What the integer products of each node did so far.

    Raises:
        InferenceError: The engine cannot load the file, or it holds an integer product that cannot
            be emulated.
    """

    def __init__(self, data: bytes, instruction_set: InstructionSet) -> None:
        arithmetic = arithmetic_of(instruction_set)
        model = fused(data, arithmetic)
        graph = model.graph
        self.tallies: dict[str, Tally] = {}
        self._outputs = [value.name for value in graph.output]
        self._constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self._results = {  # a model may give out its constants
            name: self._constants[name] for name in self._outputs if name in self._constants
        }
        self._steps = self._cut(model, arithmetic)
        self._last_reads = _last_reads(self._steps, self._outputs)
        self._signature = model_signature(onnx.load_from_string(data))

    @property
    def signature(self) -> ModelSignature:
        """Inputs and outputs of the file."""
        return self._signature

    def close(self) -> None:
        """Nothing is held that has to be given back."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Values:
        """Outputs by name.

        Args:
            inputs: Every input, shape ``(n, ...)``.

        Raises:
            InferenceError: The engine refused the inputs or failed.
        """
        values: Values = {**self._results, **inputs}
        for index, step in enumerate(self._steps):
            values.update(step.run(values))
            for name in self._last_reads[index]:
                values.pop(name, None)
        return {name: values[name] for name in self._outputs}

    def _cut(self, model: ModelProto, arithmetic: Arithmetic) -> list[_Product | _Segment]:
        """Integer products, and what lies between two of them in one piece."""
        steps: list[_Product | _Segment] = []
        between: list[NodeProto] = []
        for node in model.graph.node:
            domain = "" if node.domain in STANDARD_DOMAINS else node.domain
            kernel = KERNELS.get((domain, node.op_type))
            if kernel is None:
                _check_known(node)
                between.append(node)
                continue
            if between:
                steps.append(_Segment(model, tuple(between)))
                between = []
            name = node.name or node.output[0]
            tally = self.tallies.setdefault(name, Tally())
            steps.append(_Product(node, arithmetic, tally, self._constants))
        if between:
            steps.append(_Segment(model, tuple(between)))
        needed = {name for step in steps for name in step.reads} | set(self._outputs)
        for step in steps:
            step.keep(needed)
        return steps


def _check_known(node: NodeProto) -> None:
    if node.op_type in UNKNOWN:
        raise InferenceError(
            f"the arithmetic of `{node.op_type}` is not known for other classes of CPU",
            where=f"node `{node.name}`",
            next_step="Measure the model on a device of that class",
        )


@dataclass
class _Product:
    """One integer product."""

    node: NodeProto
    arithmetic: Arithmetic
    tally: Tally
    constants: Mapping[str, NDArray[Any]]

    @property
    def reads(self) -> set[str]:
        return {name for name in self.node.input if name and name not in self.constants}

    def keep(self, _: set[str]) -> None:
        """Its one output is always needed."""

    def run(self, values: Mapping[str, NDArray[Any]]) -> Values:
        domain = "" if self.node.domain in STANDARD_DOMAINS else self.node.domain
        kernel = KERNELS[domain, self.node.op_type]
        inputs = [self._value(name, values) for name in self.node.input]
        return {self.node.output[0]: kernel(self.node, inputs, self.arithmetic, self.tally)}

    def _value(self, name: str, values: Mapping[str, NDArray[Any]]) -> NDArray[Any] | None:
        if not name:
            return None
        return self.constants[name] if name in self.constants else values[name]


@dataclass
class _Segment:
    """Nodes that every class of CPU computes alike, run by the engine."""

    model: ModelProto
    nodes: tuple[NodeProto, ...]
    outputs: list[str] = field(default_factory=list)
    executor: Executor | None = None

    @property
    def reads(self) -> set[str]:
        made = {name for node in self.nodes for name in node.output}
        constants = {tensor.name for tensor in self.model.graph.initializer}
        return {name for node in self.nodes for name in names_read(node)} - made - constants

    def keep(self, needed: set[str]) -> None:
        """Give only what somebody outside reads."""
        self.outputs = [name for node in self.nodes for name in node.output if name in needed]

    def run(self, values: Mapping[str, NDArray[Any]]) -> Values:
        inputs = {name: values[name] for name in sorted(self.reads)}
        if self.executor is None:
            self.executor = Executor(self._as_model(inputs), optimized=True)
        return self.executor.run(inputs, self.outputs)

    def _as_model(self, inputs: Mapping[str, NDArray[Any]]) -> ModelProto:
        graph = GraphProto(name="segment")
        graph.node.extend(self.nodes)
        read = {name for node in self.nodes for name in names_read(node)}
        graph.initializer.extend(t for t in self.model.graph.initializer if t.name in read)
        graph.input.extend(
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), [None] * value.ndim
            )
            for name, value in inputs.items()
        )
        graph.output.extend(ValueInfoProto(name=name) for name in self.outputs)
        result = ModelProto(ir_version=self.model.ir_version, graph=graph)
        result.opset_import.extend(self.model.opset_import)
        result.functions.extend(self.model.functions)
        return result


def _last_reads(steps: Sequence[_Product | _Segment], outputs: Sequence[str]) -> list[list[str]]:
    """Per step, the tensors that nobody reads after it."""
    last: dict[str, int] = {}
    for index, step in enumerate(steps):
        last.update(dict.fromkeys(step.reads, index))
    for name in outputs:
        last.pop(name, None)
    done: list[list[str]] = [[] for _ in steps]
    for name, index in last.items():
        done[index].append(name)
    return done
