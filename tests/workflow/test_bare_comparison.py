"""Two model files that belong to no project, compared on the same samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from edgeworthy.workflow.bare_evaluation import compare_files

Command = Callable[..., tuple[int, str, str]]
#: By sample: what it is, what the old file says, and what the new one does.
TRUTH = (0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 1)
OLD = (0, 0, 1, 1, 1, 1, 2, 2, 0, 2, 0, 2)
NEW = (0, 0, 0, 1, 2, 1, 2, 1, 0, 0, 0, 2)


def says(path: Path, answers: tuple[int, ...], *, classes: int = 3, softmax: bool = False) -> Path:
    """A file that gives the i-th answer to the i-th unit vector."""
    table: NDArray[np.float32] = 4.0 * np.eye(classes, dtype=np.float32)[list(answers)]
    result = "logits" if softmax else "y"
    nodes = [helper.make_node("MatMul", ["x", "table"], [result])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "answers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", len(answers)])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", classes])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.npz"
    np.savez(path, x=np.eye(len(TRUTH), dtype=np.float32), labels=np.array(TRUTH))
    return path


def test_what_is_lost_and_gained_is_counted(tmp_path: Path, samples: Path) -> None:
    old, new = says(tmp_path / "old.onnx", OLD), says(tmp_path / "new.onnx", NEW)
    found = compare_files(old, new, samples)
    truth, before, after = (np.array(each) for each in (TRUTH, OLD, NEW))
    flips = found.new.flips
    assert flips is not None
    assert flips.negative_count == int(((before == truth) & (after != truth)).sum()) == 3
    assert flips.positive_count == int(((before != truth) & (after == truth)).sum()) == 1
    assert flips.changed_count == 4
    assert flips.mcnemar_p_value == pytest.approx(0.625)  # 1 or fewer of 4, both sides
    drop = next(each.drop for each in found.new.metrics if each.metric == "accuracy")
    assert drop is not None
    assert drop.value == pytest.approx(2 / 12)
    assert found.old.flips is None
    assert found.new.original == found.old.artifact != found.new.artifact
    assert (found.old.variant, found.new.variant) == ("old.onnx", "new.onnx")


def test_the_verb_prints_it_and_speaks_json(
    tmp_path: Path, samples: Path, command: Command
) -> None:
    old, new = says(tmp_path / "old.onnx", OLD), says(tmp_path / "new.onnx", NEW)
    code, out, err = command("evaluate", "--compare", old, new, "--data", samples)
    assert (code, err) == (0, "")
    assert "old.onnx -> new.onnx, 12 samples" in out
    assert "3 right answers lost, 1 gained, 4 changed; McNemar p = 0.625" in out
    code, out, _ = command("evaluate", "--compare", old, new, "--data", samples, "--json")
    assert code == 0
    assert json.loads(out)["new"]["flips"]["negative_count"] == 3


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"classes": 4}, "3 classes, as old.onnx"),
        ({"softmax": True}, "logits, as old.onnx gives them"),
    ],
)
def test_files_that_answer_something_else_are_refused(
    tmp_path: Path, samples: Path, command: Command, other: dict[str, int], words: str
) -> None:
    old = says(tmp_path / "old.onnx", OLD)
    new = says(tmp_path / "new.onnx", NEW, **other)  # type: ignore[arg-type]
    code, out, err = command("evaluate", "--compare", old, new, "--data", samples)
    assert (code, out) == (2, "")
    assert "do not answer the same question" in err
    assert words in " ".join(err.split())


def test_a_file_that_is_not_there_is_named(tmp_path: Path, samples: Path, command: Command) -> None:
    old = says(tmp_path / "old.onnx", OLD)
    code, _, err = command(
        "evaluate", "--compare", old, tmp_path / "absent.onnx", "--data", samples
    )
    assert code == 1
    assert "absent.onnx" in err


def test_a_third_model_is_not_passed_over(tmp_path: Path, samples: Path, command: Command) -> None:
    old, new = says(tmp_path / "old.onnx", OLD), says(tmp_path / "new.onnx", NEW)
    code, out, err = command("evaluate", old, "--compare", old, new, "--data", samples)
    assert (code, out) == (2, "")
    assert "one model is evaluated, or two are compared" in err


def test_files_of_one_name_go_by_their_folders(tmp_path: Path, samples: Path) -> None:
    for folder in ("field", "next"):
        (tmp_path / folder).mkdir()
    old = says(tmp_path / "field" / "model.onnx", OLD)
    new = says(tmp_path / "next" / "model.onnx", NEW)
    found = compare_files(old, new, samples)
    assert (found.old.variant, found.new.variant) == ("field/model.onnx", "next/model.onnx")


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["--compare", "old.onnx", "--data", "samples.npz"], "--data"),
        (["--compare", "old.onnx", "--json"], "--json"),
        (["--compare", "--data", "samples.npz"], "--data"),
        (["--data", "samples.npz", "--compare", "old.onnx", "-p"], "-p"),
    ],
)
def test_a_comparison_with_one_file_asks_for_the_second(
    command: Command, arguments: list[str], taken: str
) -> None:
    code, out, err = command("evaluate", *arguments)
    assert (code, out) == (2, "")
    assert "--compare takes two files" in err
    assert f"`{taken}`" in err
    assert "--compare old.onnx new.onnx" in err


def test_too_few_samples_are_told_in_words_of_the_evaluation(
    tmp_path: Path, command: Command
) -> None:
    model, samples = says(tmp_path / "old.onnx", OLD), tmp_path / "samples.npz"
    np.savez(samples, x=np.eye(len(OLD), dtype=np.float32)[:3], labels=np.zeros(3))
    for arguments in ([model], ["--compare", model, model]):
        code, _, err = command("evaluate", *arguments, "--data", samples)
        assert code == 1
        assert "too few samples" in err
        assert "ranges" not in err
        assert "4 or more" in err
