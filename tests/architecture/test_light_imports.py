"""What is imported, and when: a fresh interpreter is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "onnx", "onnxruntime", "PIL", "altair", "vl_convert", "jinja2", "cryptography"}


def imported_by(statement: str) -> set[str]:
    """Top-level packages that a statement brings in."""
    return {name.partition(".")[0] for name in modules_imported_by(statement)}


def modules_imported_by(statement: str) -> set[str]:
    """All modules that a statement brings in."""
    script = (
        "import contextlib, io, sys\n"
        "before = set(sys.modules)\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    {statement}\n"
        "print(*(set(sys.modules) - before))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return set(result.stdout.split())


def test_the_package_imports_nothing_but_the_standard_library() -> None:
    foreign = imported_by("import edgeworthy") - set(sys.stdlib_module_names)
    assert foreign == {"edgeworthy"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "--help"]])
def test_help_brings_in_nothing_heavy(arguments: list[str]) -> None:
    found = imported_by(f"import edgeworthy.cli.main as m; m.run({arguments!r})")
    assert found & HEAVY == set()


def test_a_device_that_verifies_loads_no_arrays_graphs_or_engines() -> None:
    found = imported_by("import edgeworthy.release.verification")
    assert "securesystemslib" in found
    assert found & (HEAVY - {"cryptography"}) == set()
    assert found & {"rich", "typer"} == set()


def test_what_supervises_a_device_loads_no_arrays_graphs_engines_or_terminal_packages() -> None:
    found = imported_by("import edgeworthy.agent.running, edgeworthy.agent.diagnosing")
    assert "tuf" in found
    assert found & (HEAVY - {"cryptography"}) == set()
    assert found & {"rich", "typer"} == set()


def test_a_worker_loads_an_engine_and_no_graph_trust_or_web_library() -> None:
    found = imported_by(
        "import edgeworthy.agent.worker.starting, edgeworthy.runtimes.onnxruntime_cpu"
    )
    assert {"numpy", "onnxruntime", "msgspec"} <= found
    assert found & (HEAVY - {"numpy", "onnxruntime"}) == set()
    assert found & {"asyncio", "ssl", "tuf", "securesystemslib", "urllib3"} == set()


def test_a_measured_process_loads_its_engine_and_only_its_own_modules() -> None:
    found = modules_imported_by(
        "import edgeworthy.measurement.child, edgeworthy.runtimes.onnxruntime_cpu"
    )
    assert {name for name in found if name.startswith("edgeworthy.")} == {
        "edgeworthy.documents",
        "edgeworthy.documents.encoded",
        "edgeworthy.documents.model",
        "edgeworthy.documents.project",
        "edgeworthy.documents.record",
        "edgeworthy.errors",
        "edgeworthy.measurement",
        "edgeworthy.measurement.accounting",
        "edgeworthy.measurement.child",
        "edgeworthy.measurement.golden",
        "edgeworthy.measurement.load",
        "edgeworthy.measurement.memory",
        "edgeworthy.measurement.scenario",
        "edgeworthy.measurement.wire",
        "edgeworthy.runtimes",
        "edgeworthy.runtimes.base",
        "edgeworthy.runtimes.batching",
        "edgeworthy.runtimes.contract",
        "edgeworthy.runtimes.onnxruntime_cpu",
        "edgeworthy.runtimes.profiling",
        "edgeworthy.runtimes.registry",
        "edgeworthy.version",
    }
    foreign = {name.partition(".")[0] for name in found} - set(sys.stdlib_module_names)
    assert foreign <= {"edgeworthy", "numpy", "onnxruntime", "msgspec", "typing_extensions"}
    assert found & {"asyncio", "logging", "subprocess", "tempfile", "zipfile"} == set()


def test_the_check_would_see_a_heavy_import() -> None:
    assert "numpy" in imported_by("import edgeworthy.datasets")
