"""``POST /answer``: a raw sample in, an answer for a person out, without the tensor protocol.

Rules:

1. A body that is a picture or a sound is one sample, whatever its content type says: files know
   what they are.
2. A body in JSON is an object from each input's name to its list of samples.
3. Each answer has what the task decides; of many classes the five likeliest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.http_answer import JSON, Answer, json_answer
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.agent.worker.served_models import RawModel

_LIKELIEST = 5


def answer_samples(model: RawModel, body: memoryview, content_type: str) -> Answer:
    """Decide about the samples of a body.

    Args:
        model: Of raw samples.
        body: Unpacked.
        content_type: As the client stated it.

    Raises:
        HttpRefused: They are no samples of this model.
        InferenceError: The engine failed.
    """
    outputs = model.run(_samples(model, body, content_type))
    count = len(next(iter(outputs.values())))
    answers = [_one(model, outputs, sample) for sample in range(count)]
    name = model.manifest.name
    return json_answer({"model": name, "version": model.version, "answers": answers})


def _samples(model: RawModel, body: memoryview, content_type: str) -> Mapping[str, NDArray[Any]]:
    if content_type.partition(";")[0].strip().lower() == JSON:
        return _numbers(body)
    names = [tensor.name for tensor in model.manifest.signature.inputs]
    if len(names) != 1 or not body:
        raise HttpRefused(
            400, f"send one picture or sound, or JSON with the samples of {', '.join(names)}"
        )
    encoded = np.empty(1, object)
    encoded[0] = bytes(body)
    return {names[0]: encoded}


def _numbers(body: memoryview) -> Mapping[str, NDArray[Any]]:
    try:
        given = msgspec.json.decode(body, type=dict[str, list[Any]])
        arrays = {name: np.array(rows) for name, rows in given.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpRefused(400, f"not an object of samples by input: {error}") from error
    except (ValueError, OverflowError) as error:
        raise HttpRefused(400, "the samples of an input differ in shape") from error
    for name, array in arrays.items():
        if array.dtype.kind not in "iufb" or not array.size:
            raise HttpRefused(400, f"the samples of `{name[:100]}` are not numbers")
    return arrays


def _one(model: RawModel, outputs: Mapping[str, NDArray[Any]], sample: int) -> dict[str, Any]:
    if "label" not in outputs:
        return {name: values[sample].tolist() for name, values in outputs.items()}
    chances = outputs["probabilities"][sample]
    names = model.manifest.labels or tuple(str(each) for each in range(len(chances)))
    likeliest = np.argsort(-chances, kind="stable")[:_LIKELIEST]
    return {
        "label": outputs["label"][sample].decode(),
        "probability": float(outputs["probability"][sample]),
        "likeliest": [
            {"label": names[each], "probability": float(chances[each])} for each in likeliest
        ],
    }
