from __future__ import annotations

from dataclasses import replace

from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.optimization.search import (
    Attempt,
    Found,
    Situation,
    next_wave,
    wants_sensitivity,
)

AVX2 = Situation(instruction_set="x86-avx2", runtimes=("onnxruntime",))
LAYERS = tuple(
    LayerSensitivity(node=f"layer{n}", op_type="Conv", error_ratio=1.0 / (n + 1), sample_count=8)
    for n in range(12)
)


def climb(situation: Situation, *, enough: bool, failing: tuple[str, ...] = ()) -> list[Attempt]:
    """The whole ladder, when integers lose too much or not."""
    history: list[Found] = []
    while wave := next_wave(situation, history):
        for attempt in wave:
            assert attempt.recipe is not None
            name = attempt.recipe.name
            mixed = attempt.float_count or 0
            history.append(
                Found(
                    attempt,
                    failed=name in failing,
                    loss=0.0 if enough else 0.1,
                    latency=0.8,
                    enough=enough or mixed >= 3,
                    worthwhile=True,
                )
            )
    return [each.attempt for each in history]


def names(attempts: list[Attempt]) -> list[str]:
    return [each.recipe.name for each in attempts if each.recipe]


def test_float_comes_first_and_nothing_is_tried_twice() -> None:
    tried = climb(AVX2, enough=True)
    assert names(tried)[:2] == ["float32", "int8-u8s8-r7"]
    assert len(set(names(tried))) == len(tried)
    assert {"float16", "int8-weights", "int8-dynamic-r7"} <= set(names(tried))


def test_other_ways_to_spend_the_steps_are_tried_only_where_integers_lose_too_much() -> None:
    remedies = {f"int8-u8s8-r7-{each}" for each in ("equalized", "smoothed", "output-error")}
    assert remedies <= set(names(climb(AVX2, enough=False)))
    assert not remedies & set(names(climb(AVX2, enough=True)))


def test_integers_ask_float_only_where_they_lose_too_much_and_there_are_classes() -> None:
    classes = replace(AVX2, cascades=True)
    assert "int8-u8s8-r7-cascade" in names(climb(classes, enough=False))
    assert "int8-u8s8-r7-cascade" not in names(climb(classes, enough=True))
    assert "int8-u8s8-r7-cascade" not in names(climb(AVX2, enough=False))


def test_slow_integers_ask_nobody() -> None:
    classes = replace(AVX2, cascades=True)
    slow = [
        Found(each, failed=False, loss=0.1, latency=1.2)
        for each in climb(AVX2, enough=False)
        if each.float_count is None
    ]
    assert "int8-u8s8-r7-cascade" not in names(list(next_wave(classes, slow)))


def test_a_cascade_is_no_static_version_whose_layers_are_ranked() -> None:
    classes = replace(AVX2, cascades=True)
    history: list[Found] = []
    while wave := next_wave(classes, history):
        history += [
            Found(each, failed=False, loss=0.0 if "cascade" in names([each])[0] else 0.1)
            for each in wave
        ]
    wanted = wants_sensitivity(history)
    assert wanted is not None
    assert wanted.precision == "int8-static"


def test_the_same_history_gives_the_same_wave() -> None:
    assert next_wave(AVX2, []) == next_wave(AVX2, [])
    assert climb(AVX2, enough=True) == climb(AVX2, enough=True)


def test_layers_are_ranked_only_where_integers_lose_too_much() -> None:
    first = next_wave(AVX2, [])
    lossy = [Found(each, failed=False, loss=0.1, enough=False) for each in first]
    fine = [Found(each, failed=False, loss=0.0, enough=True) for each in first]
    wanted = wants_sensitivity(lossy)
    assert wanted is not None
    assert wanted.name == "int8-u8s8-r7"
    assert wants_sensitivity(fine) is None
    assert wants_sensitivity([]) is None


def test_mixed_precision_keeps_the_most_sensitive_layers_in_float() -> None:
    ranked = Situation(instruction_set="x86-avx2", runtimes=("onnxruntime",), sensitivities=LAYERS)
    mixed = [each for each in climb(ranked, enough=False) if each.float_count]
    counts = [each.float_count for each in mixed]
    assert counts[:2] == [1, 6]
    assert 3 in counts
    for each in mixed:
        assert each.recipe is not None
        assert each.recipe.quantization is not None
        kept = each.recipe.quantization.float_nodes
        assert kept == tuple(f"layer{n}" for n in range(each.float_count or 0))


def test_what_failed_is_passed_over_and_the_rest_goes_on() -> None:
    tried = names(climb(AVX2, enough=True, failing=("int8-u8s8-r7",)))
    assert "float16" in tried
    assert tried.count("int8-u8s8-r7") == 1


def test_other_engines_run_what_did_best() -> None:
    both = Situation(instruction_set="x86-avx2", runtimes=("onnxruntime", "openvino"))
    elsewhere = [each for each in climb(both, enough=True) if each.runtime == "openvino"]
    assert names(elsewhere) == ["float32", "int8-u8s8-r7"]
