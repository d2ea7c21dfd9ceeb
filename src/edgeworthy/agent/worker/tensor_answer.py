"""Tensors as an answer of the Open Inference Protocol.

Rules:

1. What was asked for in binary is sent as it lies in memory, little-endian, behind the JSON.
2. JSON has no NaN and no infinity: an output that holds one is an error that says how to get it.

Source: as in :mod:`edgeworthy.agent.worker.tensor_request`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.datatypes import BYTES, PROTOCOL_NAMES
from edgeworthy.agent.worker.http_answer import BINARY, JSON, Answer, Buffer
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.agent.worker.tensor_request import InferRequest

_FIELD = "Inference-Header-Content-Length"


def encode_answer(
    outputs: Mapping[str, NDArray[Any]], request: InferRequest, *, name: str, version: str
) -> Answer:
    """The answer to a request.

    Args:
        outputs: Every output of the model.
        request: Which of them, and how.
        name: Of the model.
        version: Of the model.

    Raises:
        HttpRefused: JSON cannot carry an output.
    """
    wanted = request.outputs or dict.fromkeys(outputs, request.binary_outputs)
    tail: list[Buffer] = []
    described = [
        _described(output, outputs[output], tail if binary else None)
        for output, binary in wanted.items()
    ]
    body: dict[str, Any] = {"model_name": name, "model_version": version, "outputs": described}
    if request.request_id:
        body["id"] = request.request_id
    text = msgspec.json.encode(body)
    if not tail:
        return Answer(200, (text,), JSON)
    return Answer(200, (text, *tail), BINARY, {_FIELD: str(len(text))})


def check_outputs(request: InferRequest, names: tuple[str, ...]) -> None:
    """Refuse a request for an output that the model has not, before it runs.

    Raises:
        HttpRefused: There is none of that name.
    """
    for output in request.outputs or ():
        if output not in names:
            raise HttpRefused(
                400, f"no output `{output[:100]}`: {', '.join(f'`{name}`' for name in names)}"
            )


def _described(name: str, values: NDArray[Any], tail: list[Buffer] | None) -> dict[str, Any]:
    text = values.dtype.kind == "O"
    described: dict[str, Any] = {
        "name": name,
        "datatype": BYTES if text else PROTOCOL_NAMES[values.dtype.name],
        "shape": list(values.shape),
    }
    if tail is None:
        described["data"] = _listed(name, values)
        return described
    data = _length_prefixed(values) if text else _raw(values)
    described["parameters"] = {"binary_data_size": len(data)}
    tail.append(data)
    return described


def _listed(name: str, values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind == "O":
        return [element.decode() for element in values.ravel()]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise HttpRefused(
            500,
            f"output `{name}` holds values that are not finite numbers, which JSON cannot carry; "
            "ask for it with binary_data",
        )
    listed: list[Any] = values.ravel().tolist()
    return listed


def _raw(values: NDArray[Any]) -> Buffer:
    ordered = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return ordered.reshape(-1).view(np.uint8).data if ordered.size else b""


def _length_prefixed(values: NDArray[Any]) -> bytes:
    return b"".join(len(each).to_bytes(4, "little") + each for each in values.ravel())
