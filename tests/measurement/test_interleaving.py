"""Artefacts taking turns: what one start brings into the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeworthy.measurement import MeasurementPlan, MeasurementSettings
from edgeworthy.measurement.interleaving import observe
from edgeworthy.measurement.starting import StartedProcess
from edgeworthy.measurement.wire import RunQueries, pack_tensors


def test_an_odd_first_start_does_not_shape_the_turns_of_the_others(
    small_model: Path, plan: Callable[[Path], MeasurementPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal artefacts, of which one was slow while its first start warmed up."""
    warm_ns = iter([500_000, 2_000_000] + [500_000] * 10)
    monkeypatch.setattr(StartedProcess, "latency_ns", property(lambda _: next(warm_ns)))
    settings = MeasurementSettings(query_count=6, minimum_s=0.0, launches=6, warm_up_limit_s=0.02)
    one, two = observe([plan(small_model), plan(small_model)], settings, ())
    lengths = [
        sorted(len(each.launches[launch].turns[0]) for each in (one, two)) for launch in range(6)
    ]
    assert lengths == [[5, 20]] + [[20, 20]] * 5


BRANCHES = """<ir_version: 8, opset_import: ["" : 17]>
branches (float[batch, 4] x) => (float[batch, 4] y) {
    most = ReduceMax <keepdims = 0> (x)
    zero = Constant <value_float = 0.0> ()
    is_high = Greater (most, zero)
    y = If (is_high) <
        then_branch = high () => (float[batch, 4] a) { a = Relu (x) },
        else_branch = low () => (float[batch, 4] b) { b = Neg (x) }
    >
}"""


def test_where_work_varies_every_start_shows_every_sample_to_all(
    tmp_path: Path, plan: Callable[[Path], MeasurementPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    varying, plain = tmp_path / "varying.onnx", tmp_path / "plain.onnx"
    model = onnx.parser.parse_model(BRANCHES)
    onnx.save(model, varying)
    del model.graph.node[:]
    model.graph.node.append(onnx.helper.make_node("Relu", ["x"], ["y"]))
    onnx.save(model, plain)
    asked: list[RunQueries] = []
    take_turn = StartedProcess.take_turn

    def noted(self: StartedProcess, request: RunQueries) -> None:
        asked.append(request)
        take_turn(self, request)

    monkeypatch.setattr(StartedProcess, "take_turn", noted)
    # A latency after which a turn has one query, and a budget that one round uses up.
    monkeypatch.setattr(StartedProcess, "latency_ns", property(lambda _: 10**9))
    settings = MeasurementSettings(
        query_count=6, budget_s=1e-6, minimum_s=0.0, launches=6, warm_up_limit_s=0.02
    )
    samples = tuple(
        pack_tensors({"x": np.full((1, 4), number - 5, dtype=np.float32)}) for number in range(11)
    )
    found = observe([plan(varying), plan(plain)], settings, samples)
    assert [each.varies for each in found] == [True, False]
    assert [each.cycle for each in found] == [11, 11]
    for each in found:
        assert all(sum(map(len, launch.turns)) >= 11 for launch in each.launches)
    assert sum(request.first == 0 for request in asked) == 12  # each start of both begins anew
    (alone,) = observe([plan(plain)], settings, samples)
    assert (alone.varies, alone.cycle) == (False, 0)
    assert all(sum(map(len, launch.turns)) < 11 for launch in alone.launches)
