from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.operator_profile import OperatorProfile, OperatorTime, Roofline
from edgeworthy.documents.record import decode_document, encode_document
from edgeworthy.errors import InferenceError, StorageError, UsageError
from edgeworthy.measurement import MeasurementPlan
from edgeworthy.measurement.operator_remarks import remarks_on
from edgeworthy.measurement.operators import ProfileSettings, operator_times, profile_operators
from edgeworthy.measurement.roofline import (
    Effort,
    calibrate,
    calibration_folder,
    copy_rate,
    kept_roofline,
    second_level_cache_bytes,
)
from edgeworthy.runtimes import NodeProfile, Runtime, Session
from edgeworthy.runtimes.onnxruntime_cpu import OnnxRuntimeCpu

NOW = datetime(2026, 11, 23, tzinfo=UTC)
QUICK = Effort(seconds=0.001, product_size=16, channels=4, pixels=8)


@pytest.fixture
def limits(host: HostFingerprint) -> Roofline:
    """100 GMAC/s in float, 200 in 8 bits, 10 GB/s from memory, 50 from a cache of 1 MB."""
    return Roofline(
        runtime="onnxruntime 1.32.0",
        threads=1,
        float_gmacs_per_s=100.0,
        int8_gmacs_per_s=200.0,
        memory_gb_per_s=10.0,
        cache_gb_per_s=50.0,
        cache_bytes=1_000_000,
        host=host,
        taken_at="2026-11-23T00:00:00Z",
    )


def node(
    op_type: str,
    *,
    us: float,
    macs: int | None = 0,
    moved: int = 1000,
    kind: str = "float32",
    runs: int = 50,
) -> NodeProfile:
    return NodeProfile(
        name=op_type,
        op_type=op_type,
        input_type=kind,
        mac_count=macs,
        moved_bytes=moved,
        times_us=(us,) * runs,
    )


def test_nodes_are_put_together_by_operator_and_precision(limits: Roofline) -> None:
    found = operator_times(
        [
            node("Conv", us=300.0, macs=10_000_000, moved=100_000),
            node("Conv", us=100.0, macs=10_000_000, moved=100_000),
            node("Conv", us=100.0, macs=10_000_000, moved=100_000, kind="int8"),
            node("Relu", us=500.0, moved=5_000_000),
        ],
        limits,
    )
    assert [(each.op_type, each.precision, each.node_count) for each in found] == [
        ("Relu", "float", 1),
        ("Conv", "float", 2),
        ("Conv", "int8", 1),
    ]
    relu, conv, quantized = found
    assert [each.time_share for each in found] == pytest.approx([0.5, 0.4, 0.1])
    assert (conv.time_ms.value, conv.mac_count, conv.moved_bytes) == (0.4, 20_000_000, 200_000)
    # 20 million in 0.4 ms are 50 GMAC/s, half of what arithmetic allows at 100 per byte.
    assert conv.macs_per_byte == 100.0
    assert conv.gmacs_per_s == pytest.approx(50.0)
    assert conv.limit_gmacs_per_s == pytest.approx(100.0)
    assert conv.reached_ratio == pytest.approx(0.5)
    assert conv.limited_by == "arithmetic"
    assert quantized.limit_gmacs_per_s == pytest.approx(200.0)
    # 5 MB do not fit in the cache: 10 GB/s are possible, and reached.
    assert (relu.gmacs_per_s, relu.limited_by) == (None, "memory")
    assert relu.reached_ratio == pytest.approx(1.0)


def test_little_arithmetic_on_many_bytes_is_limited_by_memory(limits: Roofline) -> None:
    (found,) = operator_times([node("Gemm", us=1000.0, macs=5_000_000, moved=5_000_000)], limits)
    # One multiply-add a byte at 10 GB/s.
    assert found.limit_gmacs_per_s == pytest.approx(10.0)
    assert found.limited_by == "memory"
    assert found.reached_ratio == pytest.approx(0.5)


def test_what_is_not_known_is_absent(limits: Roofline) -> None:
    (unknown,) = operator_times([node("Einsum", us=10.0, macs=None)], limits)
    assert (unknown.mac_count, unknown.gmacs_per_s, unknown.limit_gmacs_per_s) == (None, None, None)
    assert (unknown.reached_ratio, unknown.limited_by) == (None, "none")
    without = msgspec.structs.replace(limits, int8_gmacs_per_s=None)
    (eight,) = operator_times([node("QLinearConv", us=10.0, macs=5, kind="uint8")], without)
    assert (eight.limit_gmacs_per_s, eight.limited_by) == (None, "none")
    (other,) = operator_times([node("Shape", us=0.0, kind="int64", runs=3)], limits)
    assert (other.precision, other.reached_ratio, other.time_share) == ("other", None, 0.0)
    assert other.time_ms.method == "median"


def test_the_median_of_the_runs_has_an_interval(limits: Roofline) -> None:
    times = tuple(float(each) for each in np.random.default_rng(0).permutation(100))
    (found,) = operator_times([dataclasses.replace(node("Relu", us=1.0), times_us=times)], limits)
    assert found.time_ms.low < found.time_ms.value < found.time_ms.high
    assert (found.time_ms.n, found.time_ms.method) == (100, "order-statistic")


def remarks(limits: Roofline, *nodes: NodeProfile) -> str:
    return " ".join(remarks_on(operator_times(nodes, limits), limits))


def test_a_float_model_is_told_what_8_bits_could_gain(limits: Roofline) -> None:
    conv = node("Conv", us=80.0, macs=8_000_000, moved=1000)
    said = remarks(limits, conv, node("Relu", us=20.0, moved=900_000))
    # 80 % of the time twice as fast: 1 / (0.2 + 0.4).
    assert said == (
        "8-bit products are 2.0 times as fast as float32 on this machine; 80 % of the time is in "
        "float products, so quantizing them can make the model at most 1.7 times as fast."
    )
    slow = msgspec.structs.replace(limits, int8_gmacs_per_s=105.0)
    assert "quantizing makes the file smaller, not the model faster" in remarks(slow, conv)
    none = msgspec.structs.replace(limits, int8_gmacs_per_s=None)
    assert remarks(none, conv) == "This engine has no 8-bit products on this machine."


def test_a_quantized_model_is_told_why_it_is_not_faster(limits: Roofline) -> None:
    conv = node("QLinearConv", us=80.0, macs=8_000_000, kind="uint8")
    slow = msgspec.structs.replace(limits, int8_gmacs_per_s=105.0)
    assert "which is why quantizing did not make the model faster" in remarks(slow, conv)
    assert remarks(limits, conv) == ""


def test_conversions_and_operators_far_from_the_limit_are_named(limits: Roofline) -> None:
    said = remarks(
        limits,
        node("QLinearConv", us=50.0, macs=1_000_000, kind="uint8"),
        node("DequantizeLinear", us=30.0, moved=900_000, kind="uint8"),
        node("Softmax", us=20.0, moved=1000),
        node("Softmax", us=20.0, moved=1000),
    )
    assert "25 % of the time goes into converting and reordering (`DequantizeLinear`)" in said
    assert "`QLinearConv` (int8) takes 42 % of the time and reaches 10 % of what" in said
    assert "`Softmax` (float) takes 33 % of the time and reaches 0 % of its bandwidth" in said
    assert "2 nodes are small" in said


class NoEightBits(OnnxRuntimeCpu):
    """An engine that refuses quantized operators."""

    def load(self, artifact: Path, *, threads: int = 1) -> Session:
        if b"QLinear" in artifact.read_bytes():
            raise InferenceError("not implemented")
        return super().load(artifact, threads=threads)


@pytest.mark.parametrize("runtime", [OnnxRuntimeCpu(), NoEightBits()])
def test_a_calibration_finds_rates_of_this_machine(runtime: Runtime, host: HostFingerprint) -> None:
    found = calibrate(runtime, threads=1, host=host, taken_at=NOW, effort=QUICK)
    assert found.float_gmacs_per_s > 0.01
    assert found.memory_gb_per_s > 0.1
    assert found.cache_gb_per_s > 0.1
    assert (found.int8_gmacs_per_s is None) is isinstance(runtime, NoEightBits)
    assert found.taken_at == "2026-11-23T00:00:00Z"
    assert copy_rate(1 << 20, 0.001) > 0.1


def test_a_calibration_is_kept_until_machine_or_threads_change(
    tmp_path: Path, host: HostFingerprint, limits: Roofline
) -> None:
    calls = []

    def now() -> Roofline:
        calls.append(1)
        return limits

    assert kept_roofline(tmp_path, host, threads=1, calibrate_now=now) == limits
    assert kept_roofline(tmp_path, host, threads=1, calibrate_now=now) == limits
    assert len(calls) == 1
    kept_roofline(tmp_path, host, threads=2, calibrate_now=now)
    other = msgspec.structs.replace(host, runtimes=("onnxruntime 9",))
    kept_roofline(tmp_path, other, threads=1, calibrate_now=now)
    assert len(calls) == 3
    for path in tmp_path.iterdir():
        path.write_text("spoiled")
    kept_roofline(tmp_path, host, threads=1, calibrate_now=now)
    assert len(calls) == 4


def test_a_calibration_that_cannot_be_kept_is_used_all_the_same(
    tmp_path: Path, host: HostFingerprint, limits: Roofline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise StorageError("no space is left on the disk")

    monkeypatch.setattr("edgeworthy.measurement.roofline.write_whole", full)
    assert kept_roofline(tmp_path, host, threads=1, calibrate_now=lambda: limits) == limits


def test_the_cache_s_size_is_what_the_kernel_says(tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/system/cpu/cpu0/cache"
    for index, (level, size) in enumerate([("1", "32K"), ("2", "1M"), ("3", "32M")]):
        (folder / f"index{index}").mkdir(parents=True)
        (folder / f"index{index}/level").write_text(f"{level}\n")
        (folder / f"index{index}/size").write_text(f"{size}\n")
    assert second_level_cache_bytes(tmp_path) == 1 << 20
    assert second_level_cache_bytes(tmp_path / "nowhere") == 256 << 10


def test_calibrations_lie_in_the_user_s_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert calibration_folder() == Path("/somewhere/edgeworthy/rooflines")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert calibration_folder() == Path.home() / ".cache/edgeworthy/rooflines"


def test_a_profile_of_a_real_model(
    small_model: Path, plan: Callable[..., MeasurementPlan], limits: Roofline
) -> None:
    found = profile_operators(
        plan(small_model),
        limits,
        settings=ProfileSettings(run_count=20),
        taken_at=NOW,
        disturbances=("It was loud.",),
    )
    assert {each.op_type for each in found.operators} >= {"Conv"}
    assert sum(each.time_share for each in found.operators) == pytest.approx(1.0)
    assert found.latency_ms > 0
    assert found.expires_at == "2027-02-21T00:00:00Z"
    assert decode_document(encode_document(found), OperatorProfile, where="x") == found


def test_an_engine_without_a_profiler_is_a_refusal(
    small_model: Path,
    plan: Callable[..., MeasurementPlan],
    limits: Roofline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OnnxRuntimeCpu, "profile", Runtime.profile)
    with pytest.raises(UsageError, match="does not tell the time of single operators"):
        profile_operators(
            plan(small_model), limits, settings=ProfileSettings(run_count=2), taken_at=NOW
        )


def test_the_verb_says_where_the_time_goes(
    command: Callable[..., tuple[int, str, str]],
    small_model: Path,
    limits: Roofline,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("edgeworthy.measurement.roofline.calibrate", lambda *_a, **_o: limits)
    page = tmp_path / "profile.html"
    code, out, _ = command("measure", small_model, "--operators", "--html", page)
    assert "<title>Where the time goes: small.onnx</title>" in page.read_text()
    assert code == 0
    assert "Conv (float)" in out
    assert "This machine at most: 100 GMAC/s in float32" in out
    code, out, _ = command("measure", small_model, "--operators", "--json")
    assert (code, json.loads(out)["kind"]) == (0, "operator-profile")


def test_many_operators_are_summed_up(capsys: pytest.CaptureFixture[str], limits: Roofline) -> None:
    from edgeworthy.cli.operators import print_profile  # noqa: PLC0415 - what is tested

    operators: tuple[OperatorTime, ...] = operator_times(
        [node(f"Op{index}", us=1.0 + index, kind="int64") for index in range(20)], limits
    )
    print_profile(
        OperatorProfile(
            artifact="sha256:0",
            variant="m",
            runtime="r",
            threads=1,
            run_count=1,
            latency_ms=1.0,
            operators_ms=1.0,
            operators=operators,
            remarks=("A remark.",),
            roofline=msgspec.structs.replace(limits, int8_gmacs_per_s=None),
            taken_at="",
            expires_at="",
        )
    )
    out = capsys.readouterr().out
    assert "and 5 more" in out
    assert "none in 8 bits" in out
    assert "note A remark." in out


def test_two_questions_at_once_are_refused(command: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = command("measure", "m.onnx", "--operators", "--sustained", "1m")
    assert code == 2
    assert "do not go together" in err
