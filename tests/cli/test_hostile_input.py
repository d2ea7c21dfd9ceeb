"""Bad input: one paragraph, the right exit code, nothing lost and nothing half written."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from bands import ProjectFolder
from edgeworthy.files import digest_file

Command = Callable[..., tuple[int, str, str]]


def refused(command: Command, project: ProjectFolder, *, verb: str = "build") -> tuple[int, str]:
    code, _, err = command(verb, "--project", project.path)
    assert err.count("\n") == 1, err
    assert err.startswith("error EW")
    assert "Traceback" not in err
    return code, err


def change_model(project: ProjectFolder, change: Callable[[onnx.ModelProto], None]) -> None:
    path = project.path / "model.onnx"
    model = onnx.load(path)
    change(model)
    path.write_bytes(model.SerializeToString())


def change_samples(project: ProjectFolder, **changes: np.ndarray) -> None:
    path = project.path / "evaluation.npz"
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(path, **{**kept, **changes})


def test_a_truncated_model(project: ProjectFolder, command: Command) -> None:
    path = project.path / "model.onnx"
    path.write_bytes(path.read_bytes()[:-40])
    code, err = refused(command, project)
    assert code == 1
    assert "model.onnx" in err


def test_a_pickle_named_onnx(project: ProjectFolder, command: Command) -> None:
    (project.path / "model.onnx").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    code, err = refused(command, project)
    assert code == 1
    assert "pickle" in err


def test_external_data_outside_the_folder(
    project: ProjectFolder, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "secrets.bin").write_bytes(bytes(4 * 36))

    def point_outside(model: onnx.ModelProto) -> None:
        tensor = next(each for each in model.graph.initializer if each.name == "weights")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "../secrets.bin"), ("length", str(4 * 36))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value

    change_model(project, point_outside)
    code, err = refused(command, project)
    assert code == 1
    assert "../secrets.bin" in err


def test_dynamic_axes_that_are_not_pinned(project: ProjectFolder, command: Command) -> None:
    def loosen(model: onnx.ModelProto) -> None:
        axes = model.graph.input[0].type.tensor_type.shape.dim
        axes[2].ClearField("dim_value")
        axes[2].dim_param = "height"

    change_model(project, loosen)
    code, err = refused(command, project)
    assert code == 1
    assert "height" in err
    assert "pin" in err


def test_a_pinned_axis_makes_the_same_model_usable(project: ProjectFolder) -> None:
    def loosen(model: onnx.ModelProto) -> None:
        axes = model.graph.input[0].type.tensor_type.shape.dim
        axes[2].ClearField("dim_value")
        axes[2].dim_param = "height"

    change_model(project, loosen)
    project.edit('layout = "NCHW"', 'layout = "NCHW"\npin = { height = 6 }')
    assert len(project.load().optimize()) == 2


def test_samples_of_the_wrong_shape(project: ProjectFolder, command: Command) -> None:
    change_samples(project, pictures=np.zeros((120, 1, 5, 6), dtype=np.float32))
    code, err = refused(command, project)
    assert code == 1
    assert "5" in err
    assert "6" in err


def test_weights_that_are_not_numbers(project: ProjectFolder, command: Command) -> None:
    def poison(model: onnx.ModelProto) -> None:
        for index, tensor in enumerate(model.graph.initializer):
            if tensor.name == "weights":
                values = numpy_helper.to_array(tensor).copy()
                values[0, 0] = np.nan
                model.graph.initializer[index].CopyFrom(numpy_helper.from_array(values, "weights"))

    change_model(project, poison)
    code, err = refused(command, project)
    assert code == 1
    assert "weights" in err
    assert "NaN" in err


def test_labels_out_of_range(project: ProjectFolder, command: Command) -> None:
    bands = np.arange(120) % 3
    bands[17] = 3
    change_samples(project, bands=bands)
    code, err = refused(command, project)
    assert code == 1
    assert "3" in err


def test_a_class_without_samples(project: ProjectFolder, command: Command) -> None:
    change_samples(project, bands=np.arange(120) % 2)
    code, err = refused(command, project)
    assert code == 1
    assert "bottom" in err


def test_a_data_set_of_one_sample(project: ProjectFolder, command: Command) -> None:
    change_samples(
        project,
        pictures=np.zeros((1, 1, 6, 6), dtype=np.float32),
        bands=np.array([0]),
        light=np.array(["dim"]),
    )
    code, err = refused(command, project)
    assert code == 1
    assert "2" in err


def test_samples_that_are_not_there(project: ProjectFolder, command: Command) -> None:
    (project.path / "evaluation.npz").unlink()
    code, err = refused(command, project)
    assert code == 1
    assert "[data.evaluation]" in err


def test_a_file_where_a_folder_of_samples_should_be(
    project: ProjectFolder, command: Command
) -> None:
    project.edit('path = "evaluation.npz"', 'path = "evaluation.npz"\nformat = "image-folder"')
    assert refused(command, project)[0] in {1, 2}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT CHECKED: a full disk needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(1024))


def objects_are_whole(cache: Path) -> bool:
    return all(
        digest_file(path) == f"sha256:{path.parent.name}{path.name}"
        for path in (cache / "objects").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )


def test_a_full_disk(small_disk: Path, command: Command, built: ProjectFolder) -> None:
    path = small_disk / "bands"
    shutil.copytree(built.path, path, ignore=shutil.ignore_patterns("dist", ".edgeworthy"))
    project = ProjectFolder(path, path / "keys" / "passphrase")
    fill(small_disk)
    code, err = refused(command, project)
    assert code == 1
    assert "no space is left on the disk" in err
    (small_disk / "ballast").unlink()
    assert objects_are_whole(path / ".edgeworthy")
    assert len(project.load().optimize()) == 2


def test_a_project_folder_that_cannot_be_written(
    small_disk: Path, command: Command, built: ProjectFolder
) -> None:
    path = small_disk / "bands"
    shutil.copytree(built.path, path, ignore=shutil.ignore_patterns("dist", ".edgeworthy"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    project = ProjectFolder(path, path / "keys" / "passphrase")
    code, err = refused(command, project)
    assert code == 1
    assert "read-only" in err


def started(project: ProjectFolder) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "edgeworthy", "build", "--project", str(project.path)]
    arguments += ["--passphrase-file", str(project.passphrase_file), "--json"]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def steps_done(project: ProjectFolder) -> int:
    return len(list((project.path / ".edgeworthy" / "last").glob("*.json")))


def test_ctrl_c_while_it_measures_keeps_what_was_finished(
    project: ProjectFolder, command: Command
) -> None:
    assert_ctrl_c_keeps_what_was_finished(project, 7, command)


@pytest.mark.parametrize("done", [2, 6, 15])
def test_ctrl_c_at_any_step_keeps_what_was_finished(
    half_built: ProjectFolder, done: int, command: Command
) -> None:
    assert_ctrl_c_keeps_what_was_finished(half_built, done, command)


def assert_ctrl_c_keeps_what_was_finished(
    project: ProjectFolder, done: int, command: Command
) -> None:
    build = started(project)
    while steps_done(project) < done and build.poll() is None:
        time.sleep(0.002)
    os.killpg(build.pid, signal.SIGINT)
    out, err = build.communicate(timeout=60)
    if build.returncode == 0:  # it was quicker than we were
        return
    assert (build.returncode, out) == (130, ""), err
    assert err == "error EW900: stopped by Ctrl-C; what was finished is kept.\n"
    assert objects_are_whole(project.path / ".edgeworthy")
    kept = steps_done(project)
    assert kept >= done
    code, text, _ = command("gate", "--project", project.path, "--explain")
    assert code == 0
    assert text.count(" reused ") >= min(kept, 14)


def test_an_error_we_did_not_foresee_is_a_paragraph_and_with_debug_a_traceback(
    project: ProjectFolder, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_path: Path) -> None:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr("edgeworthy.workflow.project.read_project_file", break_down)
    code, _, err = command("gate", "--project", project.path)
    assert code == 1
    assert err.startswith("error EW000: an error that we did not foresee: RuntimeError: the sky")
    assert "Traceback" in command("--debug", "gate", "--project", project.path)[2]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "/x"), "error EW400: /x: the operating system"),
        (MemoryError(), "the memory is used up"),
    ],
)
def test_the_operating_systems_refusals_are_told(
    project: ProjectFolder,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    message: str,
) -> None:
    def break_down(_path: Path) -> None:
        raise error

    monkeypatch.setattr("edgeworthy.workflow.project.read_project_file", break_down)
    code, _, err = command("gate", "--project", project.path)
    assert code == 1
    assert message in err


@pytest.mark.parametrize(
    "arguments",
    [["buil"], ["gate", "--nope"], ["verify"], ["init", "digits"], ["report", "--format", "pdf"]],
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], command: Command) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert err.startswith("error EW100: ")
    assert err.count("\n") == 1
    assert "Value error" not in err
