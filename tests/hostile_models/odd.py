"""Models that break careless quantizers: each is valid, runs, and has something odd about it."""

from __future__ import annotations

import numpy as np

from hostile_models.build import SIX, Build, real, whole

_NORMAL = np.random.default_rng(1).standard_normal
_DEAD = (_NORMAL((4, 4, 3, 3)) * 0.3).astype(np.float32)
_DEAD[1], _DEAD[2] = 0.0, _DEAD[2] * 1e-12
_FAINT = (_NORMAL((4, 4, 1, 1)) * np.array([1e-7, 1, 1e-9, 1]).reshape(4, 1, 1, 1)).astype("f4")
_NO_KERNEL = "has constant float32 weights of a form that 8-bit kernels take"
_SQUARE = {"w1": (6, 6)}
_TWO = {"w1": (6, 6), "w2": (6, 6)}
_IMAGE = {"x": (4, 8, 8)}

ODD: dict[str, Build] = {
    # --- shared weights -----------------------------------------------------------------
    "one kernel and one bias in two convolutions": Build(
        """net (float[batch,4,8,8] x) => (float[batch,4,8,8] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1, b1)
            r = Relu (c1)
            y = Conv <pads=[1,1,1,1]> (r, w1, b1)
        }""",
        _IMAGE,
        {"w1": (4, 4, 3, 3), "b1": (4,)},
    ),
    "one matrix straight and transposed": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = MatMul (x, w1)
            r = Relu (a)
            y = Gemm <transB=1> (r, w1, b1)
        }""",
        {"x": (6,)},
        {"w1": (6, 6), "b1": (6,)},
    ),
    "an embedding that is also the last layer": Build(
        """net (int64[batch,5] t) => (float[batch,5,20] y) {
            e = Gather (w0, t)
            h = MatMul (e, w1)
            r = Relu (h)
            wt = Transpose <perm=[1,0]> (w0)
            y = MatMul (r, wt)
        }""",
        {"t": (5,)},
        {"w0": (20, 8), "w1": (8, 8)},
        whole={"t": 20},
    ),
    "a weight that float nodes read too": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = MatMul (x, w1)
            n = ReduceL2 <axes=[0], keepdims=1> (w1)
            y = Div (a, n)
        }""",
        {"x": (6,)},
        _SQUARE,
    ),
    "a weight that is a result": Build(
        "net (float[batch,6] x) => (float[batch,6] y, float[6,6] w1) { y = MatMul (x, w1) }",
        {"x": (6,)},
        _SQUARE,
    ),
    # --- results ------------------------------------------------------------------------
    "constant results": Build(
        """net (float[batch,6] x) => (float[batch,6] y, float[3] k, float[3] z) {
            k = Constant <value_floats=[1.0,2.0,3.0]> ()
            z = Add (k, b9)
            y = MatMul (x, w1)
        }""",
        {"x": (6,)},
        {"w1": (6, 6), "b9": (3,)},
    ),
    "an input that is a result": Build(
        """net (float[batch,6] x) => (float[batch,6] y, float[batch,6] same) {
            same = Identity (x)
            y = MatMul (x, w1)
        }""",
        {"x": (6,)},
        _SQUARE,
    ),
    "results before and after a ReLU": Build(
        """net (float[batch,6] x) => (float[batch,6] r, float[batch,6] y, float[batch,6] a) {
            a = MatMul (x, w1)
            r = Relu (a)
            y = MatMul (r, w2)
        }""",
        {"x": (6,)},
        _TWO,
    ),
    "a ReLU at the end of a product": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = MatMul (x, w1)
            r = Relu (a)
            b = MatMul (r, w2)
            y = Relu (b)
        }""",
        {"x": (6,)},
        _TWO,
    ),
    "a clip between a product and a curve": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = Gemm (x, w1, b1)
            c = Clip (a, zero, six)
            y = Softmax <axis=1> (c)
        }""",
        {"x": (6,)},
        {"w1": (6, 6), "b1": (6,)},
        SIX,
    ),
    "whole numbers for results": Build(
        """net (float[batch,6] x) => (float[batch,2] v, int64[batch,2] i, int64[batch] k) {
            y = MatMul (x, w1)
            v, i = TopK (y, two)
            k = ArgMax <axis=1, keepdims=0> (y)
        }""",
        {"x": (6,)},
        _SQUARE,
        {"two": whole(2)},
    ),
    # --- values -------------------------------------------------------------------------
    "dead channels and variances of zero": Build(
        """net (float[batch,4,8,8] x) => (float[batch,4,8,8] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, dead, b1)
            n = BatchNormalization (c1, s1, b2, m1, none)
            r = Relu (n)
            y = Conv <pads=[1,1,1,1]> (r, w2, b1)
        }""",
        _IMAGE,
        {"b1": (4,), "s1": (4,), "b2": (4,), "m1": (4,), "w2": (4, 4, 3, 3)},
        {"dead": _DEAD, "none": real(1, 0, 1e-12, 0)},
    ),
    "activations that are always zero": Build(
        """net (float[batch,4,8,8] x) => (float[batch,4,8,8] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1, low)
            r = Relu (c1)
            y = Conv <pads=[1,1,1,1]> (r, w2, b1)
        }""",
        _IMAGE,
        {"w1": (4, 4, 3, 3), "b1": (4,), "w2": (4, 4, 3, 3)},
        {"low": real(-100, -100, -100, -100)},
    ),
    "weights that are all zero": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = Gemm (x, nil, b1)
            r = Relu (a)
            y = MatMul (r, w2)
        }""",
        {"x": (6,)},
        {"b1": (6,), "w2": (6, 6)},
        {"nil": np.zeros((6, 6), np.float32)},
    ),
    "faint weights beside large biases": Build(
        """net (float[batch,4,6,6] x) => (float[batch,4,6,6] y) {
            a = Conv (x, faint, large)
            r = Relu (a)
            y = Conv (r, w2)
        }""",
        {"x": (4, 6, 6)},
        {"w2": (4, 4, 1, 1)},
        {"faint": _FAINT, "large": real(3.0, 0.1, 2.0, -0.5)},
    ),
    # --- inner graphs, functions, operators of others -----------------------------------
    "a branch": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            m = ReduceMax <keepdims=0> (x)
            c = Greater (m, border)
            h = MatMul (x, w1)
            y = If (c) <
                then_branch = g1 () => (float[batch,6] p) { p = MatMul (h, w2) },
                else_branch = g2 () => (float[batch,6] q) { q = Relu (h) }
            >
        }""",
        {"x": (6,)},
        _TWO,
        {"border": np.array(2.0, np.float32)},
        refusal="tensors inside If cannot be observed or quantized",
    ),
    "a loop": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            h = MatMul (x, w1)
            y = Loop (three, yes, h) <
                body = g (int64 i, bool c, float[batch,6] a) => (bool co, float[batch,6] b) {
                    co = Identity (c)
                    ab = MatMul (a, w2)
                    b = Tanh (ab)
                }
            >
        }""",
        {"x": (6,)},
        _TWO,
        {"three": np.array(3, np.int64), "yes": np.array(True)},  # noqa: FBT003 - a tensor
        refusal="tensors inside Loop cannot be observed or quantized",
    ),
    "functions of its own": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = local.block (x, w1)
            y = local.block (a, w2)
        }
        <domain: "local", opset_import: ["" : 17]>
        block (x, w) => (y) { a = MatMul (x, w)  y = Relu (a) }""",
        {"x": (6,)},
        _TWO,
        domains=', "local" : 1',
    ),
    "operators of the engine's own": Build(
        """net (float[batch,6] x) => (float[batch,6] y) {
            a = com.microsoft.FusedMatMul <transB=1, alpha=0.5> (x, w1)
            r = Relu (a)
            g = com.microsoft.Gelu (r)
            y = MatMul (g, w2)
        }""",
        {"x": (6,)},
        _TWO,
        domains=', "com.microsoft" : 1',
    ),
    # --- names --------------------------------------------------------------------------
    "names that the quantizer gives to results": Build(
        """net (float[batch,6] x) => (float[batch,6] y_QuantizeLinear_Output) {
            x_QuantizeLinear_Output = MatMul (x, w1)
            x_DequantizeLinear_Output = Relu (x_QuantizeLinear_Output)
            y_QuantizeLinear_Output = MatMul (x_DequantizeLinear_Output, w1_quantized)
        }""",
        {"x": (6,)},
        {"w1": (6, 6), "w1_quantized": (6, 6)},
    ),
    "names that the quantizer gives to scales": Build(
        """net (float[batch,6] x) => (float[batch,6] w1_scale) {
            x_scale = MatMul (x, w1)
            x_zero_point = Relu (x_scale)
            w1_scale = MatMul (x_zero_point, w1_zero_point)
        }""",
        {"x": (6,)},
        {"w1": (6, 6), "w1_zero_point": (6, 6)},
    ),
    # --- forms --------------------------------------------------------------------------
    "a bias that is computed": Build(
        """net (float[batch,4,6,6] x, float[batch,4] extra) => (float[batch,4,6,6] y) {
            bias = ReduceMean <axes=[0], keepdims=0> (extra)
            r = Conv (x, w1, b1)
            y = Conv (r, w2, bias)
        }""",
        {"x": (4, 6, 6), "extra": (4,)},
        {"w1": (4, 4, 1, 1), "b1": (4,), "w2": (4, 4, 1, 1)},
    ),
    "a weight of three axes": Build(
        "net (float[batch,3,5,6] x) => (float[batch,3,5,4] y) { y = MatMul (x, w1) }",
        {"x": (3, 5, 6)},
        {"w1": (3, 6, 4)},
        refusal=_NO_KERNEL,
    ),
    "a weight on the left": Build(
        "net (float[batch,6,5] x) => (float[batch,4,5] y) { y = MatMul (w1, x) }",
        {"x": (6, 5)},
        {"w1": (4, 6)},
        refusal=_NO_KERNEL,
    ),
    "a sum of products in words": Build(
        """net (float[batch,5,6] x) => (float[batch,5,4] y) {
            y = Einsum <equation="bij,jk->bik"> (x, w1)
        }""",
        {"x": (5, 6)},
        {"w1": (6, 4)},
        refusal="the model has no Conv, Gemm, MatMul",
    ),
    # --- operator sets ------------------------------------------------------------------
    "operators as opset 11 had them": Build(
        """net (float[batch,4,8,8] x) => (float[batch,5] y) {
            c = Conv <pads=[1,1,1,1]> (x, w1, b1)
            r = Clip (c, zero, six)
            p = Pad <mode="constant"> (r, pads)
            u = Resize <mode="linear", coordinate_transformation_mode="half_pixel"> (p, roi, twice)
            m = ReduceMean <axes=[2], keepdims=0> (u)
            t = Unsqueeze <axes=[2]> (m)
            q = Squeeze <axes=[2]> (t)
            left, right = Split <axis=1> (q)
            z = ReduceSum <axes=[2], keepdims=0> (left)
            g = Gemm (z, w2, b2)
            y = Softmax (g)
        }""",
        _IMAGE,
        {"w1": (8, 4, 3, 3), "b1": (8,), "w2": (4, 5), "b2": (5,)},
        {**SIX, "pads": whole(0, 0, 1, 1, 0, 0, 1, 1), "roi": real(), "twice": real(1, 1, 2, 2)},
        opset=11,
    ),
    "a softmax over several axes, opset 11": Build(
        """net (float[batch,4,3] x) => (float[batch,4,3] y) {
            a = MatMul (x, w1)
            y = Softmax (a)
        }""",
        {"x": (4, 3)},
        {"w1": (3, 3)},
        opset=11,
    ),
    "operators of opset 22": Build(
        """net (float[batch,4,8,8] x) => (float[batch,5] y) {
            c = Conv <pads=[1,1,1,1]> (x, w1, b1)
            g = GroupNormalization <num_groups=2> (c, s1, b2)
            e = Gelu (g)
            m = ReduceMean <keepdims=0> (e, axes)
            y = Gemm (m, w2, b3)
        }""",
        _IMAGE,
        {"w1": (8, 4, 3, 3), "b1": (8,), "s1": (8,), "b2": (8,), "w2": (8, 5), "b3": (5,)},
        {"axes": whole(2, 3)},
        opset=22,
    ),
}
