"""Batch norms that can be folded, and those that must stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from edgeworthy.optimization.passes.fold_batch_norm import FoldBatchNorm
from edgeworthy.optimization.proof import Proof

Arrays = dict[str, NDArray[Any]]
NORM = "scale, shift, mean, var"


def parameters(channels: int, generator: np.random.Generator) -> Arrays:
    draw = generator.standard_normal((4, channels)).astype(np.float32)
    return {"scale": draw[0], "shift": draw[1], "mean": draw[2], "var": draw[3] ** 2 + 0.1}


@dataclass(frozen=True)
class Case:
    """A product before a norm; the norm's channels are the second axis of its output."""

    product: str
    weight: tuple[int, ...]
    x: tuple[int, ...]
    channels: int
    bias: tuple[int, ...] | None = None


CASES = [
    Case("Conv <group=2> (x, w, bias)", (4, 1, 3, 3), (2, 2, 5, 5), 4, bias=(4,)),
    Case("Conv (x, w)", (4, 2, 3), (2, 2, 5), 4),
    Case("ConvTranspose (x, w, bias)", (2, 3, 2, 2), (2, 2, 5, 5), 3, bias=(3,)),
    Case("Gemm (x, w, bias)", (3, 4), (2, 3), 4, bias=(4,)),
    Case("Gemm (x, w)", (3, 4), (2, 3), 4),
    Case("Gemm <alpha=0.5, beta=2.0, transB=1> (x, w, bias)", (4, 3), (2, 3), 4, bias=(1, 4)),
    Case("Gemm <beta=0.5> (x, w, bias)", (3, 4), (2, 3), 4, bias=()),
]


def built(
    case: Case, parse: Callable[..., ModelProto], generator: np.random.Generator
) -> ModelProto:
    weights = {"w": generator.standard_normal(case.weight).astype(np.float32)}
    if case.bias is not None:
        weights["bias"] = np.asarray(generator.standard_normal(case.bias), dtype=np.float32)
    axes = ",".join("abcd"[: len(case.x)])
    shape = ",".join(str(size) for size in case.x[1:])
    return parse(
        f"g (float[n,{shape}] x) => (float[{axes}] y) "
        f"{{ p = {case.product} y = BatchNormalization <epsilon=0.01> (p, {NORM}) }}",
        weights | parameters(case.channels, generator),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.product)
def test_a_norm_after_a_product_is_folded(
    case: Case,
    parse: Callable[..., ModelProto],
    ops: Callable[[ModelProto], dict[str, int]],
    reference: Callable[[ModelProto, Arrays], list[NDArray[Any]]],
    prove: Callable[..., Proof],
    generator: np.random.Generator,
) -> None:
    model = built(case, parse, generator)
    x = generator.standard_normal(case.x).astype(np.float32)
    result = FoldBatchNorm()(model, prove(x=x))
    assert ops(result.model) == {case.product.split()[0]: 1}
    assert result.record.detail.startswith("folded 1 batch normalizations")
    (expected,), (found,) = reference(model, {"x": x}), reference(result.model, {"x": x})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_norm_after_a_grouped_transposed_convolution(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof], generator: np.random.Generator
) -> None:
    case = Case("ConvTranspose <group=2> (x, w)", (4, 3, 1, 1), (2, 4, 5, 5), 6)
    model = built(case, parse, generator)
    x = generator.standard_normal(case.x).astype(np.float32)
    result = FoldBatchNorm()(model, prove(x=x)).model
    constants = {t.name: numpy_helper.to_array(t) for t in result.graph.initializer}
    weight, bias = (constants[name] for name in result.graph.node[0].input[1:])
    found = np.concatenate(  # with a kernel of 1 x 1 each group is a matrix product
        [
            np.einsum("nihw,io->nohw", x[:, 2 * g : 2 * g + 2], weight[2 * g : 2 * g + 2, :, 0, 0])
            for g in range(2)
        ],
        axis=1,
    )
    (expected,) = prove(x=x).outputs(model)
    np.testing.assert_allclose(
        found + bias.reshape(1, -1, 1, 1), expected["y"], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    "body",
    [
        "c = Conv (x, w) n = BatchNormalization (c, scale, shift, mean, var) y = Add (c, n)",
        "c = Relu (x) y = BatchNormalization (c, scale, shift, mean, var)",
        "c = Conv (x, x4) y = BatchNormalization (c, scale, shift, mean, var)",
        "c = Conv (x, w) r = Abs (shift) y = BatchNormalization (c, scale, r, mean, var)",
        """c = Conv (x, w)
        y, m2, v2 = BatchNormalization <training_mode=1> (c, scale, shift, mean, var)""",
    ],
    ids=["read twice", "no product", "computed weight", "computed shift", "training"],
)
def test_a_norm_that_must_stay_stays(
    body: str, parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    values = {name: np.ones(2, np.float32) for name in ("scale", "shift", "mean", "var")}
    weights = values | {"w": np.ones((2, 2, 1, 1), np.float32)}
    model = parse(
        f"g (float[n,2,2,2] x, float[2,2,1,1] x4) => (float[a,b,c0,d] y) {{ {body} }}", weights
    )
    result = FoldBatchNorm()(
        model, prove(x=np.ones((1, 2, 2, 2), np.float32), x4=np.ones((2, 2, 1, 1), np.float32))
    )
    assert not result.record.changed
    assert result.record.detail == "no batch normalization that can be folded"


def test_a_bias_per_row_is_not_folded(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof], generator: np.random.Generator
) -> None:
    model = parse(
        f"g (float[3,2] x) => (float[3,4] y) "
        f"{{ p = Gemm (x, w, bias) y = BatchNormalization (p, {NORM}) }}",
        {"w": np.ones((2, 4), np.float32), "bias": np.ones((3, 1), np.float32)}
        | parameters(4, generator),
    )
    assert not FoldBatchNorm()(model, prove(x=np.ones((3, 2), np.float32))).record.changed


def test_other_users_of_a_shared_weight_keep_theirs(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof], generator: np.random.Generator
) -> None:
    weight = generator.standard_normal((2, 2, 1, 1)).astype(np.float32)
    model = parse(
        f"""g (float[n,2,2,2] x) => (float[n,2,2,2] y, float[n,2,2,2] z) {{
        p = Conv (x, w) y = BatchNormalization (p, {NORM}) z = Conv (x, w) }}""",
        {"w": weight} | parameters(2, generator),
    )
    result = FoldBatchNorm()(model, prove(x=np.ones((1, 2, 2, 2), np.float32))).model
    kept = {tensor.name: numpy_helper.to_array(tensor) for tensor in result.graph.initializer}
    np.testing.assert_array_equal(kept["w"], weight)
    assert kept["w.folded"].shape == (2, 2, 1, 1)
    assert not np.array_equal(kept["w.folded"], weight)


def test_zero_variance_is_folded_by_epsilon_alone(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    ones, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    model = parse(
        f"g (float[n,1,1,1] x) => (float[n,2,1,1] y) "
        f"{{ p = Conv (x, w) y = BatchNormalization <epsilon=0.0001> (p, {NORM}) }}",
        {"w": np.ones((2, 1, 1, 1), np.float32), "scale": ones, "shift": zeros}
        | {"mean": zeros, "var": zeros},
    )
    result = FoldBatchNorm()(model, prove(x=np.ones((1, 1, 1, 1), np.float32))).model
    folded = {t.name: numpy_helper.to_array(t) for t in result.graph.initializer}["w.folded"]
    np.testing.assert_allclose(folded.ravel(), [100.0, 100.0], rtol=1e-6)


def test_an_opset_before_nine_is_left_alone(
    parse: Callable[..., ModelProto], prove: Callable[..., Proof]
) -> None:
    model = parse("g (float[n] x) => (float[n] y) { y = Relu (x) }", opset=8)
    result = FoldBatchNorm()(model, prove(x=np.ones(1, np.float32)))
    assert result.record.detail == "opset 8 is older than 9"
