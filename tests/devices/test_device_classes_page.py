"""The page about device classes says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from edgeworthy.devices import find_profile, profile_names
from edgeworthy.documents.device import InstructionSet

PAGE = Path(__file__).parents[2] / "docs/concepts/device-classes.md"


def test_every_class_stands_in_the_table_with_its_instruction_set() -> None:
    _, table = PAGE.read_text().split("## Shipped classes")
    rows = dict(re.findall(r"^\| `([^`]+)` \| .* \| `([^`]+)` \|$", table, re.MULTILINE))
    shipped = [name for name in profile_names() if name != "host"]
    assert rows == {name: find_profile(name, folder=Path()).instruction_set for name in shipped}


def test_every_instruction_set_is_explained() -> None:
    for name in get_args(InstructionSet):
        assert f"\n| `{name}` |" in PAGE.read_text()


def test_the_example_is_a_profile(tmp_path: Path) -> None:
    _, example = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "my-board.toml").write_text(example)
    profile = find_profile("my-board.toml", folder=tmp_path)
    assert profile.memory_bytes is not None
    assert profile.memory_bytes.value == 2 * 2**30
