"""A small model written as text, with weights that are drawn and samples that suit it.

A weight's name gives its kind: ``w`` a kernel or matrix drawn at He's scale, ``b`` a small bias,
``s`` a scale near one, ``v`` a variance. Everything else comes with its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

Arrays = dict[str, NDArray[Any]]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Build:
    """One model and what goes in.

    Attributes:
        text: The graph in ONNX's own text form.
        inputs: Shape of one sample of each input, without the batch.
        shapes: Of the weights that are drawn.
        values: Of the constants that are not.
        opset: Of the standard operators.
        domains: Further ``domain: version`` of the import list.
        whole: Inputs that hold whole numbers from 0 up to this.
        refusal: Part of the reason why it cannot be quantized statically; empty when it can.
    """

    text: str
    inputs: Shapes
    shapes: Shapes = field(default_factory=dict)
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    opset: int = 17
    domains: str = ""
    whole: Mapping[str, int] = field(default_factory=dict)
    refusal: str = ""

    def model(self, seed: int = 3) -> ModelProto:
        """The graph with its weights."""
        generator = np.random.default_rng(seed)
        header = f'<ir_version: 8, opset_import: ["" : {self.opset}{self.domains}]>'
        model = onnx.parser.parse_model(header + self.text)
        drawn = {name: _draw(name, shape, generator) for name, shape in self.shapes.items()}
        for name, values in {**drawn, **self.values}.items():
            model.graph.initializer.append(numpy_helper.from_array(values, name))
        return model

    def samples(self, count: int = 24, seed: int = 5) -> Arrays:
        """Inputs ``(count, ...)``."""
        generator = np.random.default_rng(seed)
        found: Arrays = {}
        for name, shape in self.inputs.items():
            if name in self.whole:
                found[name] = generator.integers(0, self.whole[name], (count, *shape))
            else:
                found[name] = generator.standard_normal((count, *shape)).astype(np.float32)
        return found


def _draw(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float32]:
    values = generator.standard_normal(shape)
    if name[0] == "w":
        fan_in = max(1, int(np.prod(shape[1:]))) if len(shape) > 2 else shape[0]
        values *= (2.0 / fan_in) ** 0.5
    elif name[0] == "s":
        values = 1.0 + 0.2 * values
    elif name[0] == "v":
        values = 0.5 + values**2
    else:
        values *= 0.1
    return np.asarray(values, dtype=np.float32)


def whole(*values: int) -> NDArray[np.int64]:
    """A constant list of whole numbers."""
    return np.array(values, dtype=np.int64)


def real(*values: float) -> NDArray[np.float32]:
    """A constant list of reals."""
    return np.array(values, dtype=np.float32)


#: Bounds of a ReLU6.
SIX: Arrays = {"zero": np.array(0.0, np.float32), "six": np.array(6.0, np.float32)}
