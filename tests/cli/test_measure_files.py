from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

from bands import band_model
from edgeworthy.cli.comparison import notes_of, print_comparison
from edgeworthy.cli.load import load_sentence
from edgeworthy.documents.comparison import Comparison, Drift, OutputAgreement, SelfCheck
from edgeworthy.documents.load import LoadMeasurement
from edgeworthy.documents.record import decode_document
from edgeworthy.documents.sweep import Sweep
from edgeworthy.measurement import MeasurementProgress, MeasurementSettings
from edgeworthy.runtimes import find_runtime
from edgeworthy.workflow import bare_models

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "bands.onnx"
    band_model(path)
    return path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short turns and warm-ups."""
    usual = bare_models._settings
    monkeypatch.setattr(
        bare_models,
        "_settings",
        lambda settings, options: quick(usual(settings, options)),
    )


def quick(settings: MeasurementSettings) -> MeasurementSettings:
    return replace(settings, minimum_s=0.0, block_s=0.001, warm_up_limit_s=0.02)


@pytest.fixture(scope="module")
def plain(model: Path) -> Comparison:
    """A model compared with itself, in six starts."""
    with pytest.MonkeyPatch.context() as patch:
        usual = bare_models._settings
        patch.setattr(
            bare_models,
            "_settings",
            lambda settings, options: quick(usual(settings, options)),
        )
        return bare_models.compare_files(model, model, bare_models.BareOptions(starts=6))


def test_a_bare_model_is_measured_without_a_project(command: Command, model: Path) -> None:
    samples = model.with_name("samples.npz")
    np.savez(samples, picture=np.ones((3, 1, 6, 6), np.float32))
    code, out, err = command("measure", model, "--samples", samples, "--budget", "0.2")
    assert (code, err) == (0, "")
    assert "bands.onnx" in out
    assert "Latency on host" in out


def test_two_models_are_compared(
    command: Command, model: Path, plain: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def compare(*paths: object, **_: object) -> Comparison:
        asked.extend(paths)
        return plain

    monkeypatch.setattr(bare_models, "compare_files", compare)
    code, out, err = command("measure", model, "--vs", model, "--starts", "6", "--threads", "2")
    assert (code, err) == (0, "")
    assert "self-check" in out
    assert "ratio" in out
    assert asked == [model, model, bare_models.BareOptions(starts=6, threads=2)]
    code, out, err = command("measure", model, "--vs", model, "--json")
    assert (code, err) == (0, "")
    assert decode_document(out.encode(), Comparison, where="stdout") == plain


def test_notes_tell_what_a_reader_should_know(
    plain: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plain.outputs is not None
    assert plain.outputs.largest_difference == 0.0
    quiet = msgspec.structs.replace(plain.subject, disturbances=())
    changed = msgspec.structs.replace(
        plain,
        subject=quiet,
        self_check=SelfCheck(ratio=plain.ratio, passed=False),
        outlying_starts=(2, 5),
        disturbed_turn_ratio=0.2,
        drift=Drift(
            baseline_change_ratio=0.3,
            baseline_p_value=0.001,
            ratio_change_ratio=0.3,
            ratio_p_value=0.5,
        ),
        outputs=OutputAgreement(
            sample_count=8, largest_difference=0.5, largest_output=2.0, same_choice_ratio=0.75
        ),
    )
    notes = " ".join(notes_of(changed))
    assert "told the baseline from itself" in notes
    assert "start 2, 5 stands apart" in notes
    assert "20 % of the turns" in notes
    assert "latency of the baseline drifted by +30.0 %" in notes
    assert "ratio itself" not in notes
    assert "agrees on 75 %" in notes
    few = msgspec.structs.replace(changed, ratio=None, drift=None, outputs=None, partial=True)
    assert "do not compare" in " ".join(notes_of(few))
    print_comparison(few)
    assert "ratio       x -" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("way", "last"), [((), 4), (("--scenario", "offline"), 4), (("--sweep", "batch"), 3)]
)
def test_ctrl_c_prints_what_was_finished_and_says_so(
    way: tuple[str, ...],
    last: int,
    command: Command,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def listener(_title: str, _progress: object) -> Callable[[MeasurementProgress], None]:
        def listen(progress: MeasurementProgress) -> None:
            if progress.launch == last:
                raise KeyboardInterrupt

        return listen

    monkeypatch.setattr(bare_models, "_listener", listener)
    code, out, err = command("measure", model, *way, "--json")
    assert code == 130
    assert json.loads(out)["partial"] is True
    assert "marked as partial" in err


def test_vs_without_a_model_is_wrong_usage(command: Command, model: Path) -> None:
    code, _, err = command("measure", "--vs", model)
    assert code == 2
    assert "measure one artefact" in err


def test_comparing_under_load_is_wrong_usage(command: Command, model: Path) -> None:
    code, _, err = command("measure", model, "--vs", model, "--scenario", "server")
    assert code == 2
    assert "do not go together" in err


@pytest.mark.parametrize(
    ("scenario", "said"),
    [("offline", "samples per second"), ("multi-stream", "p50 ms"), ("server", "queries")],
)
def test_loads_are_printed_and_checked_against_golden_outputs(
    command: Command, model: Path, tmp_path: Path, scenario: str, said: str
) -> None:
    pictures = np.random.default_rng(0).random((5, 1, 6, 6), np.float32)
    right = find_runtime("onnxruntime").load(model).run({"picture": pictures})
    samples, golden = tmp_path / "samples.npz", tmp_path / "golden.npz"
    np.savez(samples, picture=pictures)
    np.savez(golden, **right)  # type: ignore[arg-type]  # numpy's stub takes the flag's type
    options = ("--samples", samples, "--golden", golden, "--budget", "0.3", "--bound-ms", "200")
    code, out, err = command("measure", model, "--scenario", scenario, *options)
    assert (code, err) == (0, "")
    assert said in out
    assert "all right" in out
    if scenario == "offline":  # the document of one says it for all
        code, out, err = command("measure", model, "--scenario", scenario, *options, "--json")
        found = decode_document(out.encode(), LoadMeasurement, where="stdout")
        assert found.checked_count > 0


def test_wrong_answers_are_no_result(command: Command, model: Path, tmp_path: Path) -> None:
    samples, golden = tmp_path / "samples.npz", tmp_path / "golden.npz"
    np.savez(samples, picture=np.ones((3, 1, 6, 6), np.float32))
    np.savez(golden, scores=np.full((3, 3), 77.0, np.float32))
    code, out, err = command(
        "measure", model, "--samples", samples, "--golden", golden, "--budget", "0.1"
    )
    assert (code, out) == (1, "")
    assert "a fast wrong answer is no result" in err


def test_a_server_that_holds_no_rate_says_so(plain: Comparison) -> None:
    found = LoadMeasurement(
        artifact="sha256:a",
        variant="m.onnx",
        runtime="engine 1",
        threads=1,
        affinity=(0,),
        scenario="Server",
        samples_per_query=1,
        query_count=0,
        throughput_hz=None,
        percentiles=(),
        latency_bound_ms=0.5,
        bound_percent=99.0,
        rate_hz=None,
        attempts=(),
        checked_count=0,
        host=plain.subject.host,
        seed=0,
        taken_at="",
        expires_at="",
    )
    assert load_sentence(found) == "No rate held 99 % of queries within 0.5 ms."
    offline = msgspec.structs.replace(found, scenario="Offline")
    assert "Too few starts" in load_sentence(offline)


@pytest.mark.parametrize("axes", ["speed", "", "threads,speed"])
def test_an_unknown_axis_is_wrong_usage(command: Command, model: Path, axes: str) -> None:
    code, _, err = command("measure", model, "--sweep", axes)
    assert code == 2
    assert "not an axis of a sweep" in err


def test_a_fixed_batch_is_not_swept(command: Command, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed.onnx"
    band_model(fixed)
    proto = onnx.load(fixed)
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(proto, fixed)
    code, _, err = command("measure", fixed, "--sweep", "batch")
    assert code == 2
    assert "fixes its batch" in err


def test_a_sweep_marks_its_knee(
    command: Command, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare_models, "_LARGEST_BATCH", 2)
    code, out, err = command("measure", model, "--sweep", "batch", "--json", "--starts", "6")
    assert (code, err) == (0, "")
    found = decode_document(out.encode(), Sweep, where="stdout")
    assert [(each.threads, each.batch) for each in found.points] == [(1, 1), (1, 2)]
    assert sum(each.is_knee for each in found.points) == 1
    assert found.start_count == 6
    monkeypatch.setattr(bare_models, "sweep_file", lambda *_, **__: found)
    code, out, err = command("measure", model, "--sweep", "batch")
    assert (code, err) == (0, "")
    assert "Knee at 1 thread(s) and batch" in out
