from edgeworthy import graph


def test_the_doors_of_the_room() -> None:
    assert sorted(graph.__all__) == [
        "LoadedModel",
        "check_batch",
        "check_static",
        "compare_outputs",
        "inspect_loaded",
        "inspect_model",
        "load_model",
        "model_signature",
        "pin_axes",
        "samples_at_a_time",
        "work_varies",
    ]
    assert all(hasattr(graph, name) for name in graph.__all__)
