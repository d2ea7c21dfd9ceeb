"""What this machine can do at most: one calibration, kept for the machine and engine.

Rules:

1. The arithmetic limits are the best rates that the engine itself reaches, in float32 and in 8
   bits, over a few products and convolutions that suit it: a limit that no model could reach
   would explain nothing.
2. The bandwidths are those of a copy, in memory and within the second-level cache, bytes read and
   written counted.
3. A limit is the fastest run, not the usual one: disturbances only slow down.
4. A calibration is kept under the digest of machine, software and threads; when one of them
   changes, it is taken again. A file that cannot be read or written is no error.

Source: Williams, Waterman and Patterson, Communications of the ACM 52 (2009) 65-76.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.devices.host import read_text
from edgeworthy.documents.device import HostFingerprint
from edgeworthy.documents.operator_profile import Roofline
from edgeworthy.documents.record import canonical_json, decode_document, encode_document
from edgeworthy.errors import EdgeworthyError, InferenceError, ModelFileError
from edgeworthy.files import digest_bytes, write_whole
from edgeworthy.runtimes import Runtime, random_inputs

_GIGA = 1e9
_OPSET = 17
_IR_VERSION = 8
_MEMORY_COPY_BYTES = 64 << 20
_USUAL_CACHE_BYTES = 256 << 10
_UNITS = {"K": 1 << 10, "M": 1 << 20, "": 1}
_FEWEST_RUNS = 3


@dataclass(frozen=True)
class Effort:
    """How long to calibrate.

    Attributes:
        seconds: For each model and each copy.
        product_size: Rows, columns and depth of the matrix product.
        channels: Of the convolution.
        pixels: Height and width of its input.
    """

    seconds: float = 0.3
    product_size: int = 384
    channels: int = 64
    pixels: int = 32


def calibrate(
    runtime: Runtime,
    *,
    threads: int,
    host: HostFingerprint,
    taken_at: datetime,
    effort: Effort | None = None,
    root: Path = Path("/"),
) -> Roofline:
    """Measure the limits of this machine.

    Args:
        runtime: The engine.
        threads: Threads inside one inference.
        host: This machine.
        taken_at: Now, with a time zone.
        effort: How long.
        root: Where ``sys`` hangs; another tree than ``/`` in tests.

    Raises:
        InferenceError: The engine cannot run a plain product in float32.
    """
    effort = effort or Effort()
    cache_bytes = second_level_cache_bytes(root)
    floats = [_product(effort, quantized=False), _convolution(effort, quantized=False)]
    bytes_ = [_product(effort, quantized=True), _convolution(effort, quantized=True)]
    return Roofline(
        runtime=runtime.version(),
        threads=threads,
        float_gmacs_per_s=max(_rate(runtime, each, threads, effort) for each in floats),
        int8_gmacs_per_s=_rate_if_any(runtime, bytes_, threads, effort),
        memory_gb_per_s=copy_rate(_MEMORY_COPY_BYTES, effort.seconds),
        # Source and target lie in the cache together, with room for what else is there.
        cache_gb_per_s=copy_rate(cache_bytes // 4, effort.seconds),
        cache_bytes=cache_bytes,
        host=host,
        taken_at=taken_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def kept_roofline(
    folder: Path, host: HostFingerprint, *, threads: int, calibrate_now: Callable[[], Roofline]
) -> Roofline:
    """The calibration of this machine, taken now when there is none yet.

    Args:
        folder: Where calibrations are kept.
        host: This machine, with the engine's version.
        threads: Threads inside one inference.
        calibrate_now: Takes one.
    """
    key = digest_bytes(canonical_json({"host": host, "threads": threads}))
    path = folder / f"{key.removeprefix('sha256:')[:32]}.json"
    try:
        return decode_document(path.read_bytes(), Roofline, where=str(path))
    except (OSError, EdgeworthyError):
        pass
    made = calibrate_now()
    try:
        write_whole(path, encode_document(made))
    except EdgeworthyError:
        # Nothing is lost but the time of the next calibration.
        return made
    return made


def second_level_cache_bytes(root: Path = Path("/")) -> int:
    """Size of the second-level cache of the first core; a usual one when nobody tells.

    Args:
        root: Where ``sys`` hangs; another tree than ``/`` in tests.
    """
    for folder in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        found = re.fullmatch(r"(\d+)([KM]?)", read_text(folder / "size"))
        if found and read_text(folder / "level") == "2":
            return int(found[1]) * _UNITS[found[2]]
    return _USUAL_CACHE_BYTES


def copy_rate(size_bytes: int, seconds: float) -> float:
    """Bytes read and written per second by a copy, in billions: the fastest of many.

    Args:
        size_bytes: Of the source.
        seconds: How long to try.
    """
    source = np.ones(size_bytes, dtype=np.uint8)
    target = np.empty_like(source)
    # A clock that is read around one copy of some microseconds would be half of what it reads.
    repeats = max((4 << 20) // size_bytes, 1)

    def copy() -> None:
        for _ in range(repeats):
            np.copyto(target, source)

    return 2 * size_bytes * repeats / _fastest_s(copy, seconds) / _GIGA


def _fastest_s(work: Callable[[], object], seconds: float) -> float:
    work()
    fastest, end = math.inf, time.perf_counter() + seconds
    count = 0
    while count < _FEWEST_RUNS or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        fastest = min(fastest, time.perf_counter() - start)
        count += 1
    return fastest


@dataclass(frozen=True)
class _Trial:
    """A model whose arithmetic is known."""

    model: onnx.ModelProto
    mac_count: int


def _rate(runtime: Runtime, trial: _Trial, threads: int, effort: Effort) -> float:
    """Multiply-adds per second, in billions."""
    with tempfile.TemporaryDirectory(prefix="edgeworthy-roofline-") as folder:
        path = Path(folder) / "trial.onnx"
        path.write_bytes(trial.model.SerializeToString())
        with runtime.load(path, threads=threads) as session:
            generator = np.random.default_rng(0)
            inputs = random_inputs(session.signature, batch=1, generator=generator)
            fastest = _fastest_s(lambda: session.run(inputs), effort.seconds)
    return trial.mac_count / fastest / _GIGA


def _rate_if_any(
    runtime: Runtime, trials: list[_Trial], threads: int, effort: Effort
) -> float | None:
    rates = []
    for trial in trials:
        try:
            rates.append(_rate(runtime, trial, threads, effort))
        except (InferenceError, ModelFileError):
            continue
    return max(rates, default=None)


def _product(effort: Effort, *, quantized: bool) -> _Trial:
    size = effort.product_size
    shape = (size, size)
    op_type = "QLinearMatMul" if quantized else "MatMul"
    return _Trial(_model(op_type, shape, _weights(shape, quantized=quantized)), size**3)


def _convolution(effort: Effort, *, quantized: bool) -> _Trial:
    channels, pixels = effort.channels, effort.pixels
    kernel = (channels, channels, 3, 3)
    op_type = "QLinearConv" if quantized else "Conv"
    weights = _weights(kernel, quantized=quantized)
    model = _model(op_type, (1, channels, pixels, pixels), weights)
    return _Trial(model, channels**2 * 9 * pixels**2)


def _weights(shape: tuple[int, ...], *, quantized: bool) -> NDArray[np.generic]:
    generator = np.random.default_rng(1)
    if quantized:
        # Seven bits, as the recipes for CPUs that saturate use them: no pair can overflow.
        return generator.integers(-64, 64, size=shape).astype(np.int8)
    return generator.standard_normal(shape).astype(np.float32)


def _model(op_type: str, shape: tuple[int, ...], weights: NDArray[np.generic]) -> onnx.ModelProto:
    """One node; the quantized operators take a scale and a zero point with each tensor."""
    quantized = op_type.startswith("QLinear")
    kind = TensorProto.UINT8 if quantized else TensorProto.FLOAT
    stored = [numpy_helper.from_array(weights, "w")]
    names = ["x", "w"]
    if quantized:
        names = ["x", "scale", "zero_x", "w", "scale", "zero_w", "scale", "zero_x"]
        stored += [
            numpy_helper.from_array(np.array(0.02, dtype=np.float32), "scale"),
            numpy_helper.from_array(np.array(128, dtype=np.uint8), "zero_x"),
            numpy_helper.from_array(np.array(0, dtype=np.int8), "zero_w"),
        ]
    node = helper.make_node(op_type, names, ["y"])
    if op_type.endswith("Conv"):
        node.attribute.append(helper.make_attribute("pads", [1, 1, 1, 1]))
    graph = helper.make_graph(
        [node],
        "trial",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", kind, list(shape))],
        stored,
    )
    opsets = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


def calibration_folder() -> Path:
    """Where this user's calibrations are kept."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if cache else Path.home() / ".cache"
    return base / "edgeworthy" / "rooflines"
