from __future__ import annotations

import importlib
from typing import Any

import pytest

from edgeworthy.errors import MissingExtraError
from edgeworthy.runtimes import find_runtime


@pytest.mark.parametrize("name", ["openvino", "litert"])
def test_an_engine_that_is_not_installed_says_how_to_install_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def missing(module: str, *rest: Any) -> object:  # noqa: ANN401 - as the real one
        if module.startswith(("openvino", "ai_edge_litert")):
            raise ModuleNotFoundError(module)
        return real(module, *rest)

    monkeypatch.setattr("edgeworthy.runtimes.extras.importlib.import_module", missing)
    with pytest.raises(MissingExtraError) as caught:
        find_runtime(name)
    assert f"pip install edgeworthy[{name}]" in str(caught.value)
    assert caught.value.exit_code == 2
