"""Small graphs, and ways to look at them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from edgeworthy.graph import LoadedModel
from edgeworthy.optimization.proof import Proof

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def parse() -> Callable[..., ModelProto]:
    """ONNX text to a model; further weights come as arrays."""

    def build(
        text: str, weights: Mapping[str, NDArray[Any]] | None = None, *, opset: int = 17
    ) -> ModelProto:
        header = f'<ir_version: 8, opset_import: ["" : {opset}]>'
        model = onnx.parser.parse_model(text if text.lstrip().startswith("<") else header + text)
        model.graph.initializer.extend(
            numpy_helper.from_array(values, name) for name, values in (weights or {}).items()
        )
        onnx.checker.check_model(model)
        return model

    return build


@pytest.fixture
def ops() -> Callable[[ModelProto], dict[str, int]]:
    """How often each operator occurs."""
    return lambda model: dict(Counter(node.op_type for node in model.graph.node))


@pytest.fixture
def reference() -> Callable[[ModelProto, Arrays], list[NDArray[Any]]]:
    """Outputs by ONNX's own evaluator, which shares no code with onnxruntime."""

    def run(model: ModelProto, inputs: Arrays) -> list[NDArray[Any]]:
        outputs = ReferenceEvaluator(model).run(None, inputs)
        assert isinstance(outputs, list)
        return outputs

    return run


@pytest.fixture
def prove() -> Callable[..., Proof]:
    """A proof on inputs given by name."""
    return lambda **inputs: Proof([inputs], seed=None)


@pytest.fixture
def loaded() -> Callable[[ModelProto], LoadedModel]:
    """A model as the graph room would hand it over."""

    def wrap(model: ModelProto) -> LoadedModel:
        return LoadedModel(
            proto=model,
            path=Path("model.onnx"),
            artifact="sha256:" + "a" * 64,
            size_bytes=model.ByteSize(),
        )

    return wrap


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def conv_net(parse: Callable[..., ModelProto], generator: np.random.Generator) -> ModelProto:
    """Two convolutions, a batch norm, a residual, a dense layer, a softmax; ``x: (n,3,8,8)``."""
    text = """
    net (float[batch,3,8,8] x) => (float[batch,5] y) {
      c1 = Conv <pads=[1,1,1,1]> (x, w1)
      n1 = BatchNormalization (c1, s1, b1, m1, v1)
      r1 = Relu (n1)
      c2 = Conv <pads=[1,1,1,1], group=8> (r1, w2, bias2)
      r2 = Relu (c2)
      a = Add (r1, r2)
      p = GlobalAveragePool (a)
      f = Flatten (p)
      d = Gemm (f, w3, bias3)
      y = Softmax (d)
    }
    """
    draw = generator.standard_normal
    weights = {
        "w1": draw((8, 3, 3, 3)),
        "s1": draw(8) + 2,
        "b1": draw(8),
        "m1": draw(8),
        "v1": draw(8) ** 2 + 0.1,
        "w2": draw((8, 1, 3, 3)),
        "bias2": draw(8),
        "w3": draw((8, 5)),
        "bias3": draw(5),
    }
    return parse(text, {name: value.astype(np.float32) for name, value in weights.items()})


@pytest.fixture
def samples(generator: np.random.Generator) -> Callable[[], Iterator[Arrays]]:
    """Forty calibration samples for ``conv_net``, ten at a time."""
    values = generator.standard_normal((40, 3, 8, 8)).astype(np.float32)
    return lambda: iter([{"x": values[first : first + 10]} for first in range(0, 40, 10)])
