"""The import contracts hold, and each of them fails when it is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def lint_imports(repository: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(repository / "src")}
    return subprocess.run(
        [str(program), "--no-cache"],
        cwd=repository,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


def broken(output: str) -> list[str]:
    return [line.partition(" BROKEN")[0] for line in output.splitlines() if " BROKEN" in line]


def test_the_contracts_hold() -> None:
    result = lint_imports(REPOSITORY)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        (
            "evaluation/settings.py",
            "import edgeworthy.measurement",
            "Rooms import downwards only, and never a sibling",
        ),
        (
            "documents/estimate.py",
            "import edgeworthy.statistics",
            "Rooms import downwards only, and never a sibling",
        ),
        (
            "workflow/cache.py",
            "import onnxruntime",
            "Inference engines stay in runtimes, and in the calibration that needs them",
        ),
        ("datasets/base.py", "import cryptography", "Cryptography stays in release"),
        ("cli/output.py", "import altair", "Drawing and templates stay in reports"),
        (
            "release/strict_json.py",
            "import numpy",
            "A device verifies a release without arrays, graphs or engines",
        ),
        (
            "agent/worker/loop.py",
            "import edgeworthy.evaluation",
            "A model's worker carries no graph, trust or web library",
        ),
        (
            "reports/theme.py",
            "import edgeworthy.evaluation",
            "Reports draw documents and compute nothing",
        ),
        ("optimization/recipes.py", "import torch", "No training framework in the package"),
    ],
)
def test_a_broken_contract_is_named(
    tmp_path: Path, module: str, statement: str, contract: str
) -> None:
    shutil.copytree(REPOSITORY / "src", tmp_path / "src")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    path = tmp_path / "src" / "edgeworthy" / module
    path.write_text(f"{path.read_text()}\n{statement}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stderr
    assert contract in broken(result.stdout)
