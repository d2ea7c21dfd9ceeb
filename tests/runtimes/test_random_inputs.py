from __future__ import annotations

import numpy as np

from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.runtimes import random_inputs


def test_inputs_have_the_shapes_and_types_of_the_signature_and_follow_the_seed() -> None:
    signature = ModelSignature(
        inputs=(
            TensorSignature(name="x", dtype="float32", shape=("n", 3)),
            TensorSignature(name="i", dtype="int64", shape=(2,)),
            TensorSignature(name="c", dtype="bool", shape=("n",)),
        ),
        outputs=(),
    )
    one = random_inputs(signature, batch=5, generator=np.random.default_rng(7))
    other = random_inputs(signature, batch=5, generator=np.random.default_rng(7))
    assert [(v.shape, v.dtype.name) for v in one.values()] == [
        ((5, 3), "float32"),
        ((2,), "int64"),
        ((5,), "bool"),
    ]
    assert set(one["i"].tolist()) <= {0, 1}
    for name, values in one.items():
        assert np.array_equal(values, other[name])
