"""The MLPerf Tiny keyword spotter, calibrated on one half of its samples and judged on the other.

Each variant is judged on the class of CPU that it is made for, by exact emulation, so that the
figures are the same on whatever CPU the tests run.

The model and its samples are reference data beside the repository and no part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.variant import Recipe
from edgeworthy.graph import load_model
from edgeworthy.optimization import MadeVariant, make_variant, recipes_for
from edgeworthy.optimization.emulation import Emulator
from edgeworthy.optimization.execution import Executor

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "mlperf-tiny-kws"
FLOAT_BYTES = 104_955
FLOAT_ACCURACY = 0.913
HALVES = {"first": slice(0, 500), "last": slice(500, 1000)}
CLASSES: tuple[InstructionSet, ...] = ("x86-vnni", "x86-avx2", "arm-dotprod")
FLOAT = recipes_for([])[0]

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"REFERENCE DATA ABSENT: {FOLDER} is not there, int8 accuracy is NOT checked",
)


@pytest.fixture(scope="module")
def x() -> NDArray[Any]:
    with np.load(FOLDER / "kws01_samples.npz") as archive:
        scaled = (archive["x_int8"].astype(np.float32) - 83) * np.float32(0.5847029089927673)
    return np.asarray(scaled, dtype=np.float32)


@pytest.fixture(scope="module")
def labels() -> NDArray[Any]:
    with np.load(FOLDER / "kws01_samples.npz") as archive:
        return np.asarray(archive["y"])


@pytest.fixture(scope="module")
def made(x: NDArray[Any]) -> Callable[[Recipe, str], MadeVariant]:
    def make(recipe: Recipe, half: str) -> MadeVariant:
        samples = x[HALVES[half]]

        def calibration() -> Iterator[dict[str, NDArray[Any]]]:
            return iter([{"input": samples[i : i + 50]} for i in range(0, len(samples), 50)])

        result = make_variant(
            load_model(FOLDER / "kws_fp32.onnx"),
            recipe,
            calibration=calibration,
            calibration_digest="sha256:" + "0" * 64,
            seed=1,
        )
        assert isinstance(result, MadeVariant)
        return result

    return make


def predicted(data: bytes, x: NDArray[Any]) -> NDArray[Any]:
    executor = Executor(onnx.load_from_string(data), optimized=True)
    return np.asarray(executor.run({"input": x})["probabilities"].argmax(axis=1))


def emulated(data: bytes, x: NDArray[Any], instruction_set: InstructionSet) -> NDArray[Any]:
    emulator = Emulator(data, instruction_set)
    return np.asarray(emulator.run({"input": x})["probabilities"].argmax(axis=1))


@pytest.mark.parametrize("instruction_set", CLASSES)
def test_int8_loses_at_most_half_a_point(
    instruction_set: InstructionSet,
    made: Callable[[Recipe, str], MadeVariant],
    x: NDArray[Any],
    labels: NDArray[Any],
) -> None:
    """Each half by the variant that was calibrated on the other; one sample is 0.1 points."""
    right = 0
    for calibrated_on, judged_on in (("first", "last"), ("last", "first")):
        half = HALVES[judged_on]
        result = made(recipes_for([instruction_set])[1], calibrated_on)
        found = emulated(result.data, x[half], instruction_set)
        right += int((found == labels[half]).sum())
        assert result.variant.size_bytes <= FLOAT_BYTES / 2
    assert right / len(x) >= FLOAT_ACCURACY - 0.005 - 1e-9


def test_the_cleaned_float_decides_as_the_original(
    made: Callable[[Recipe, str], MadeVariant], x: NDArray[Any], labels: NDArray[Any]
) -> None:
    result = made(FLOAT, "first")
    found = predicted(result.data, x)
    np.testing.assert_array_equal(found, predicted((FOLDER / "kws_fp32.onnx").read_bytes(), x))
    assert float((found == labels).mean()) == pytest.approx(FLOAT_ACCURACY)
    assert result.variant.equivalence is not None
    assert result.variant.equivalence.largest_difference < 1e-5
