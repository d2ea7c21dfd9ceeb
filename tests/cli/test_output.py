"""What is printed for people is what was said, whatever characters it holds."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console
from rich.text import Text

from edgeworthy import cli
from edgeworthy.cli.compare import print_findings
from edgeworthy.cli.main import app, run
from edgeworthy.cli.output import console, folded, note, print_hanging, print_outcomes
from edgeworthy.cli.variants import print_variants
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.evaluation import Finding
from edgeworthy.documents.variant import Recipe, VariantRefusal
from edgeworthy.workflow.steps import StepOutcome


def test_a_reason_with_brackets_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "changed: [data.evaluation], samples"
    print_outcomes([StepOutcome(step="data/evaluation", ran=True, reason=reason)])
    assert reason in capsys.readouterr().out


def test_a_refused_recipe_names_the_table_that_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = Recipe(name="int8-u8s8", precision="int8-static")
    print_variants([], [VariantRefusal(recipe=recipe, reason="there is no [data.calibration]")])
    assert "not made int8-u8s8: there is no [data.calibration]" in capsys.readouterr().out


@given(st.text(alphabet="ab_", max_size=40), st.integers(min_value=1, max_value=40))
def test_a_name_is_folded_only_after_underscores(name: str, width: int) -> None:
    lines = folded(name, width).split("\n")
    assert "".join(lines) == name
    assert all(line.endswith("_") for line in lines[:-1])
    assert all(len(line) <= width or "_" not in line[:-1] for line in lines)


@pytest.mark.parametrize("text", ["[/closed]", "[bold]x", "[link=https://x.org]y", "a :fire: b"])
def test_text_is_never_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = console()
    out.print(text)
    out.print(note(text))
    assert capsys.readouterr().out == f"{text}\nnote {text}\n"


def test_further_lines_hang_under_the_first_word_on_a_terminal_alone() -> None:
    words = "one two three four five six seven eight"
    narrow = Console(file=io.StringIO(), width=24, force_terminal=True, color_system=None)
    print_hanging(narrow, Text("      $"), Text(words))
    assert isinstance(narrow.file, io.StringIO)
    lines = [line.rstrip() for line in narrow.file.getvalue().splitlines()]
    assert lines == ["      $ one two three", "        four five six", "        seven eight"]
    piped = Console(file=io.StringIO(), width=24, force_terminal=False)
    print_hanging(piped, Text("      $"), Text(words))
    assert isinstance(piped.file, io.StringIO)
    assert piped.file.getvalue() == f"      $ {words}\n"


def test_names_inside_a_model_cannot_break_its_inspection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "[/x]"
    weights = numpy_helper.from_array(np.ones((2, 2), dtype=np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", [name, "w"], ["[red]y"])],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("[red]y", TensorProto.FLOAT, ["N", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    assert run(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "[/x] float32 (N, 2)" in printed
    assert "[red]y float32 (N, 2)" in printed


def test_a_scan_is_printed_without_marks_of_colors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.onnx"
    path.write_bytes(b"[red]this is no model[/red]\n" * 20)
    assert run(["scan", str(path)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "found something (onnx, " in out
    assert " finding structure " in out
    assert "[" not in out


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["optimize", "m.onnx", "--data", "d.npz", "--budget", "1x"], "--budget"),
        (["measure", "m.onnx", "--sustained", "1x"], "--sustained"),
    ],
)
def test_a_wrong_duration_names_the_option_that_was_used(
    arguments: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert f"Write for example `{option} 10m`" in capsys.readouterr().err


def test_a_finding_is_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    figure = Estimate(
        value=0.04, low=0.01, high=0.1, confidence=0.95, n=100, method="wilson", unit="ratio"
    )
    said = "4 [of] 100 are lost"
    print_findings(
        (Finding(kind="negative-flips", slice="", sentence=said, estimate=figure),),
    )
    assert capsys.readouterr().out == "note 4 [of] 100 are lost\n"


def verbs(command: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - of Typer
    """Each verb and what its help says, from the outermost command on."""
    yield name, command.help or ""
    for inner, verb in getattr(command, "commands", {}).items():
        yield from verbs(verb, f"{name} {inner}")


@pytest.mark.parametrize(("name", "said"), [*verbs(typer.main.get_command(app), "edgeworthy")])
def test_a_paragraph_of_the_help_is_one_line_for_the_terminal_to_break(
    name: str, said: str
) -> None:
    torn = [each for each in said.strip().split("\n\n") if "\n" in each.strip()]
    assert torn == [], name


@pytest.mark.parametrize("path", sorted(Path(cli.__path__[0]).glob("*.py")), ids=lambda p: p.stem)
def test_no_verb_writes_marks_of_colors(path: Path) -> None:
    assert not re.search(r"\[/?(green|red|yellow|dim|bold|cyan)\]", path.read_text("utf-8"))
