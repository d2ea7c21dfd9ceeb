"""Families of networks in small: what people bring, one of each."""

from __future__ import annotations

from hostile_models.build import SIX, Build, real, whole

ARCHITECTURES: dict[str, Build] = {
    "residual network": Build(
        """net (float[batch,3,16,16] x) => (float[batch,5] y) {
            c1 = Conv <pads=[1,1,1,1], strides=[2,2]> (x, w1, b1)
            n1 = BatchNormalization (c1, s1, b2, m1, v1)
            r1 = Relu (n1)
            c2 = Conv <pads=[1,1,1,1]> (r1, w2, b3)
            r2 = Relu (c2)
            c3 = Conv <pads=[1,1,1,1]> (r2, w3, b4)
            a = Add (c3, r1)
            r3 = Relu (a)
            p = MaxPool <kernel_shape=[2,2], strides=[2,2]> (r3)
            q = ReduceMean <axes=[2,3], keepdims=0> (p)
            y = Gemm <transB=1> (q, w4, b5)
        }""",
        {"x": (3, 16, 16)},
        {
            "w1": (8, 3, 3, 3),
            "b1": (8,),
            "s1": (8,),
            "b2": (8,),
            "m1": (8,),
            "v1": (8,),
            "w2": (8, 8, 3, 3),
            "b3": (8,),
            "w3": (8, 8, 3, 3),
            "b4": (8,),
            "w4": (5, 8),
            "b5": (5,),
        },
    ),
    "hard swish and squeeze-and-excite": Build(
        """net (float[batch,3,12,12] x) => (float[batch,5] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1, b1)
            h1 = HardSwish (c1)
            c2 = Conv <pads=[1,1,1,1], group=8> (h1, w2, b2)
            h2 = HardSwish (c2)
            p = GlobalAveragePool (h2)
            e1 = Conv (p, w3, b3)
            e2 = Relu (e1)
            e3 = Conv (e2, w4, b4)
            e4 = HardSigmoid (e3)
            g = Mul (h2, e4)
            c3 = Conv (g, w5, b5)
            q = GlobalAveragePool (c3)
            f = Flatten (q)
            y = Gemm (f, w6, b6)
        }""",
        {"x": (3, 12, 12)},
        {
            "w1": (8, 3, 3, 3),
            "b1": (8,),
            "w2": (8, 1, 3, 3),
            "b2": (8,),
            "w3": (2, 8, 1, 1),
            "b3": (2,),
            "w4": (8, 2, 1, 1),
            "b4": (8,),
            "w5": (12, 8, 1, 1),
            "b5": (12,),
            "w6": (12, 5),
            "b6": (5,),
        },
    ),
    "SiLU": Build(
        """net (float[batch,3,12,12] x) => (float[batch,4] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1, b1)
            s1 = Sigmoid (c1)
            m1 = Mul (c1, s1)
            c2 = Conv <pads=[1,1,1,1]> (m1, w2, b2)
            s2 = Sigmoid (c2)
            m2 = Mul (s2, c2)
            a = Add (m1, m2)
            c3 = Conv (a, w3, b3)
            s3 = Sigmoid (c3)
            m3 = Mul (c3, s3)
            y = ReduceMean <axes=[2,3], keepdims=0> (m3)
        }""",
        {"x": (3, 12, 12)},
        {
            "w1": (8, 3, 3, 3),
            "b1": (8,),
            "w2": (8, 8, 3, 3),
            "b2": (8,),
            "w3": (4, 8, 1, 1),
            "b3": (4,),
        },
    ),
    "one axis": Build(
        """net (float[batch,6,40] x) => (float[batch,4] y) {
            c1 = Conv <pads=[3,3]> (x, w1, b1)
            r1 = Relu (c1)
            p1 = MaxPool <kernel_shape=[2], strides=[2]> (r1)
            c2 = Conv <dilations=[2], pads=[2,2], group=16> (p1, w2, b2)
            r2 = LeakyRelu <alpha=0.1> (c2)
            p2 = GlobalAveragePool (r2)
            f = Flatten (p2)
            y = Gemm (f, w3, b3)
        }""",
        {"x": (6, 40)},
        {
            "w1": (16, 6, 7),
            "b1": (16,),
            "w2": (16, 1, 3),
            "b2": (16,),
            "w3": (16, 4),
            "b3": (4,),
        },
    ),
    "three axes": Build(
        """net (float[batch,2,6,6,6] x) => (float[batch,4] y) {
            c1 = Conv <pads=[1,1,1,1,1,1]> (x, w1, b1)
            r1 = Relu (c1)
            p = GlobalAveragePool (r1)
            f = Flatten (p)
            y = Gemm (f, w2, b2)
        }""",
        {"x": (2, 6, 6, 6)},
        {"w1": (8, 2, 3, 3, 3), "b1": (8,), "w2": (8, 4), "b2": (4,)},
    ),
    "recurrent": Build(
        """net (float[batch,10,6] x) => (float[batch,4] y) {
            t = Transpose <perm=[1,0,2]> (x)
            all, last, cell = LSTM <hidden_size=8> (t, w1, w2, b1)
            s = Squeeze (all, one)
            g, glast = GRU <hidden_size=8> (s, w3, w4, b2)
            f = Squeeze (glast, zero)
            y = Gemm (f, w5, b3)
        }""",
        {"x": (10, 6)},
        {
            "w1": (1, 32, 6),
            "w2": (1, 32, 8),
            "b1": (1, 64),
            "w3": (1, 24, 8),
            "w4": (1, 24, 8),
            "b2": (1, 48),
            "w5": (8, 4),
            "b3": (4,),
        },
        {"one": whole(1), "zero": whole(0)},
    ),
    "encoder and decoder": Build(
        """net (float[batch,2,16,16] x) => (float[batch,3,16,16] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1, b1)
            r1 = Relu (c1)
            p = MaxPool <kernel_shape=[2,2], strides=[2,2]> (r1)
            c2 = Conv <pads=[1,1,1,1]> (p, w2, b2)
            r2 = Relu (c2)
            u = ConvTranspose <strides=[2,2]> (r2, w3, b3)
            k = Concat <axis=1> (u, r1)
            c3 = Conv <pads=[1,1,1,1]> (k, w4, b4)
            r3 = Relu (c3)
            y = Conv (r3, w5, b5)
        }""",
        {"x": (2, 16, 16)},
        {
            "w1": (6, 2, 3, 3),
            "b1": (6,),
            "w2": (12, 6, 3, 3),
            "b2": (12,),
            "w3": (12, 6, 2, 2),
            "b3": (6,),
            "w4": (6, 12, 3, 3),
            "b4": (6,),
            "w5": (3, 6, 1, 1),
            "b5": (3,),
        },
    ),
    "detector": Build(
        """net (float[batch,3,16,16] x) => (float[batch,80,4] boxes, float[batch,80,3] scores) {
            c1 = Conv <pads=[1,1,1,1], strides=[2,2]> (x, w1, b1)
            g1 = Sigmoid (c1)
            r1 = Mul (c1, g1)
            c2 = Conv <pads=[1,1,1,1], strides=[2,2]> (r1, w2, b2)
            g2 = Sigmoid (c2)
            r2 = Mul (c2, g2)
            u = Resize <mode="nearest", coordinate_transformation_mode="asymmetric",
                nearest_mode="floor"> (r2, none, scales)
            k = Concat <axis=1> (u, r1)
            h1 = Conv (k, w3, b3)
            h2 = Conv (r2, w4, b4)
            f1 = Reshape (h1, shape)
            f2 = Reshape (h2, shape)
            f = Concat <axis=2> (f1, f2)
            t = Transpose <perm=[0,2,1]> (f)
            d, l = Split <axis=2> (t, sizes)
            e = Exp (d)
            boxes = Mul (e, stride)
            scores = Sigmoid (l)
        }""",
        {"x": (3, 16, 16)},
        {
            "w1": (8, 3, 3, 3),
            "b1": (8,),
            "w2": (8, 8, 3, 3),
            "b2": (8,),
            "w3": (7, 16, 1, 1),
            "b3": (7,),
            "w4": (7, 8, 1, 1),
            "b4": (7,),
        },
        {
            "none": real(),
            "scales": real(1, 1, 2, 2),
            "shape": whole(0, 7, -1),
            "sizes": whole(4, 3),
            "stride": real(8.0),
        },
    ),
    "three dense layers": Build(
        """net (float[batch,20] x) => (float[batch,4] y) {
            m1 = MatMul (x, w1)
            a1 = Add (m1, b1)
            r1 = Relu (a1)
            m2 = MatMul (r1, w2)
            a2 = Add (b2, m2)
            r2 = Tanh (a2)
            m3 = MatMul (r2, w3)
            a3 = Add (m3, b3)
            y = Softmax <axis=1> (a3)
        }""",
        {"x": (20,)},
        {
            "w1": (20, 32),
            "b1": (32,),
            "w2": (32, 16),
            "b2": (16,),
            "w3": (16, 4),
            "b3": (4,),
        },
    ),
    "attention": Build(
        """net (int64[batch,8] tokens) => (float[batch,4] y) {
            e = Gather (w0, tokens)
            p = Add (e, b0)
            n1 = LayerNormalization (p, s1, b1)
            qkv = MatMul (n1, w1)
            qkvb = Add (qkv, b2)
            q, k, v = Split <axis=2> (qkvb, thirds)
            qr = Reshape (q, heads)
            kr = Reshape (k, heads)
            vr = Reshape (v, heads)
            qt = Transpose <perm=[0,2,1,3]> (qr)
            kt = Transpose <perm=[0,2,3,1]> (kr)
            vt = Transpose <perm=[0,2,1,3]> (vr)
            scores = MatMul (qt, kt)
            scaled = Mul (scores, factor)
            shares = Softmax <axis=3> (scaled)
            mixed = MatMul (shares, vt)
            mt = Transpose <perm=[0,2,1,3]> (mixed)
            mr = Reshape (mt, flat)
            o = MatMul (mr, w2)
            ob = Add (o, b3)
            a1 = Add (ob, p)
            n2 = LayerNormalization (a1, s2, b4)
            h = MatMul (n2, w3)
            hb = Add (h, b5)
            hd = Div (hb, root)
            he = Erf (hd)
            h1 = Add (he, one)
            h2 = Mul (hb, h1)
            h3 = Mul (h2, half)
            l = MatMul (h3, w4)
            lb = Add (l, b6)
            a2 = Add (lb, a1)
            m = ReduceMean <axes=[1], keepdims=0> (a2)
            y = Gemm (m, w5, b7)
        }""",
        {"tokens": (8,)},
        {
            "w0": (30, 16),
            "b0": (8, 16),
            "s1": (16,),
            "b1": (16,),
            "w1": (16, 48),
            "b2": (48,),
            "w2": (16, 16),
            "b3": (16,),
            "s2": (16,),
            "b4": (16,),
            "w3": (16, 32),
            "b5": (32,),
            "w4": (32, 16),
            "b6": (16,),
            "w5": (16, 4),
            "b7": (4,),
        },
        {
            "thirds": whole(16, 16, 16),
            "heads": whole(0, 0, 4, 4),
            "flat": whole(0, 0, 16),
            "factor": real(0.5),
            "root": real(2**0.5),
            "one": real(1.0),
            "half": real(0.5),
        },
        whole={"tokens": 30},
    ),
    "shuffled channels": Build(
        """net (float[batch,4,8,8] x) => (float[batch,3] y) {
            c1 = Conv <group=2> (x, w1, b1)
            r1 = Relu (c1)
            s1 = Reshape (r1, groups)
            s2 = Transpose <perm=[0,2,1,3,4]> (s1)
            s3 = Reshape (s2, back)
            left, right = Split <axis=1> (s3, halves)
            c2 = Conv <pads=[1,1,1,1], group=4> (right, w2, b2)
            k = Concat <axis=1> (left, c2)
            p = AveragePool <kernel_shape=[8,8]> (k)
            f = Flatten (p)
            y = Gemm (f, w3, b3)
        }""",
        {"x": (4, 8, 8)},
        {
            "w1": (8, 2, 1, 1),
            "b1": (8,),
            "w2": (4, 1, 3, 3),
            "b2": (4,),
            "w3": (8, 3),
            "b3": (3,),
        },
        {
            "groups": whole(0, 2, 4, 8, 8),
            "back": whole(0, 8, 8, 8),
            "halves": whole(4, 4),
        },
    ),
    "clipped at six": Build(
        """net (float[batch,3,10,10] x) => (float[batch,3] y) {
            c1 = Conv <pads=[1,1,1,1]> (x, w1)
            n1 = BatchNormalization (c1, s1, b1, m1, v1)
            r1 = Clip (n1, zero, six)
            c2 = Conv <pads=[1,1,1,1], group=8> (r1, w2)
            n2 = BatchNormalization (c2, s2, b2, m2, v2)
            r2 = Clip (n2, zero, six)
            c3 = Conv (r2, w3)
            n3 = BatchNormalization (c3, s3, b3, m3, v3)
            p = GlobalAveragePool (n3)
            f = Flatten (p)
            y = Gemm (f, w4, b4)
        }""",
        {"x": (3, 10, 10)},
        {
            "w1": (8, 3, 3, 3),
            "s1": (8,),
            "b1": (8,),
            "m1": (8,),
            "v1": (8,),
            "w2": (8, 1, 3, 3),
            "s2": (8,),
            "b2": (8,),
            "m2": (8,),
            "v2": (8,),
            "w3": (6, 8, 1, 1),
            "s3": (6,),
            "b3": (6,),
            "m3": (6,),
            "v3": (6,),
            "w4": (6, 3),
            "b4": (3,),
        },
        SIX,
    ),
    "normalized by group and instance": Build(
        """net (float[batch,4,9,9] x) => (float[batch,3] y) {
            c1 = Conv (x, w1, b1)
            n1 = InstanceNormalization (c1, s1, b2)
            r1 = PRelu (n1, b3)
            c2 = Conv <auto_pad="SAME_UPPER", strides=[2,2]> (r1, w2)
            r2 = Softplus (c2)
            p = GlobalMaxPool (r2)
            f = Flatten (p)
            y = Gemm <alpha=0.5, beta=2.0> (f, w3, b4)
        }""",
        {"x": (4, 9, 9)},
        {
            "w1": (6, 4, 1, 1),
            "b1": (6,),
            "s1": (6,),
            "b2": (6,),
            "b3": (6, 1, 1),
            "w2": (6, 6, 3, 3),
            "w3": (6, 3),
            "b4": (3,),
        },
    ),
}
