from __future__ import annotations

import subprocess
import sys

import pytest

from edgeworthy import runtimes
from edgeworthy.errors import MissingExtraError, UsageError
from edgeworthy.runtimes import find_runtime, runtime_names


def test_every_name_leads_to_an_engine_of_that_name() -> None:
    assert "onnxruntime" in runtime_names()
    for name in runtime_names():
        try:
            assert find_runtime(name).name == name
        except MissingExtraError as error:
            pytest.skip(str(error))


@pytest.mark.parametrize(
    ("name", "step"),
    [("onnx-runtime", "Write `onnxruntime`"), ("zzz", "Write one of these names")],
)
def test_an_unknown_name_is_a_usage_error_with_the_nearest(name: str, step: str) -> None:
    with pytest.raises(UsageError, match=f"no runtime is called `{name}`") as caught:
        find_runtime(name)
    assert caught.value.next_step == step
    assert caught.value.exit_code == 2


def test_an_engine_is_imported_when_it_is_asked_for() -> None:
    program = (
        "import sys; from edgeworthy.runtimes import runtime_names; runtime_names()\n"
        "assert 'onnxruntime' not in sys.modules and 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_doors_of_the_room() -> None:
    assert sorted(runtimes.__all__) == [
        "NodeProfile",
        "Runtime",
        "Session",
        "Tensors",
        "find_runtime",
        "fixed_batch_size",
        "random_inputs",
        "run_batched",
        "runtime_names",
        "usual_runtime",
    ]
