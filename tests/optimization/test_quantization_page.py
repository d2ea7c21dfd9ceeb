"""The page on quantization says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from edgeworthy.documents.device import InstructionSet
from edgeworthy.optimization import recipes_for
from edgeworthy.optimization.calibration import cut_ratio
from edgeworthy.optimization.data_types import CALIBRATION_METHOD
from edgeworthy.optimization.passes.raise_opset import PER_CHANNEL_OPSET
from edgeworthy.optimization.proof import SAMPLE_LIMIT

PAGE = (Path(__file__).parents[2] / "docs/concepts/quantization.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("instruction_set", get_args(InstructionSet))
def test_the_table_names_the_recipe_of_every_instruction_set(
    instruction_set: InstructionSet,
) -> None:
    recipe = recipes_for([instruction_set])[1].name
    assert re.search(rf"^\|[^|]*`{instruction_set}`[^|]*\| `{recipe}` \|", PAGE, re.MULTILINE)


def test_the_figures_of_the_method_are_the_codes() -> None:
    assert f"{cut_ratio(CALIBRATION_METHOD) * 100:.3f} % of its values" in PAGE
    assert f"up to {SAMPLE_LIMIT} of your samples" in PAGE
    assert f"raised to {PER_CHANNEL_OPSET}" in PAGE
