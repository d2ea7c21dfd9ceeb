"""Dynamic int8 answers in a search as it does on a device: one sample at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import parser

from edgeworthy.documents.record import canonical_json
from edgeworthy.evaluation import Predictions
from edgeworthy.runtimes import find_runtime
from edgeworthy.workflow.search.sources import BareSource
from edgeworthy.workflow.search.work import AnswerArguments, answer
from edgeworthy.workflow.stages.subjects import Subject

FLOAT = "y = MatMul (x, w)"
DYNAMIC = """
    q, s, z = DynamicQuantizeLinear (x)
    d = DequantizeLinear (q, s, z)
    y = MatMul (d, w)
"""


def saved(path: Path, body: str) -> Path:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[n,2] x) => (float[n,2] y)'
        f" <float[2,2] w = {{1, 0, 0, 1}}> {{ {body} }}"
    )
    path.write_bytes(model.SerializeToString())
    return path


def test_a_quiet_sample_beside_a_loud_one(tmp_path: Path) -> None:
    x = np.tile(np.array([[0.01, 0.02], [0.03, -0.01], [50.0, -80.0]], np.float32), (4, 1))
    np.savez(tmp_path / "samples.npz", x=x)
    artifact = saved(tmp_path / "0123abcd", DYNAMIC)  # objects of the cache have no suffix
    model = saved(tmp_path / "model.onnx", FLOAT)
    found = answer(
        canonical_json(
            AnswerArguments(
                source=BareSource(
                    model=str(model),
                    data=str(tmp_path / "samples.npz"),
                    calibration=str(tmp_path / "samples.npz"),
                ),
                artifact=str(artifact),
                runtime="onnxruntime",
                threads=1,
            )
        )
    )
    said = Predictions.from_npz_bytes(found["predictions"], where="test").outputs
    with find_runtime("onnxruntime").load(artifact, threads=1) as session:
        alone = np.concatenate([session.run({"x": row[np.newaxis]})["y"] for row in x])
    np.testing.assert_array_equal(said, alone)
    assert np.abs(said[:2] - x[:2]).max() < 0.001  # in one batch, a step is 0.5


def test_artefacts_of_a_build_know_it_without_a_suffix(tmp_path: Path) -> None:
    for body, expected in ((DYNAMIC, 1), (FLOAT, None)):
        path = saved(tmp_path / f"object{expected}", body)
        subject = Subject(name="v", path=path, artifact="sha256:0", size_bytes=1)
        assert subject.at_a_time == expected
