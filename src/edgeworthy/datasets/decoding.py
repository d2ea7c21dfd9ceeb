"""From a sample as it arrives to the raw values that the data set would give.

Rules:

1. Decoding gives exactly the values, types and shapes that reading the data set gives.
2. What cannot be decoded is an error; nothing is patched up.
"""

from __future__ import annotations

import csv
import io
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import RawBatch
from edgeworthy.datasets.image_folder import decode_image
from edgeworthy.datasets.input_plan import InputPlan
from edgeworthy.datasets.wav_folder import decode_wav
from edgeworthy.documents.encoded import (
    EncodedArray,
    EncodedArrays,
    EncodedImage,
    EncodedRows,
    EncodedSample,
    EncodedSound,
    InputPreparation,
)

#: Raw values of one sample by input, without a batch axis; ``""`` where the source has no names.
RawValues: TypeAlias = dict[str, NDArray[Any]]

_WHERE = "an encoded sample"


def decode_sample(sample: EncodedSample) -> RawValues:
    """The raw values of one sample.

    Args:
        sample: As it arrives.

    Raises:
        DatasetError: It is damaged.

    >>> array = EncodedArray(dtype="|u1", shape=(2,), data=b"ab")
    >>> decode_sample(EncodedArrays(arrays={"x": array}))["x"].tolist()
    [97, 98]
    """
    match sample:
        case EncodedImage():
            return {"": decode_image(io.BytesIO(sample.data), where=_WHERE)}
        case EncodedSound():
            return {"": decode_wav(io.BytesIO(sample.data), where=_WHERE)}
        case EncodedRows():
            return _rows(sample)
        case EncodedArrays():
            return {name: _array(each) for name, each in sample.arrays.items()}


def prepare_sample(raw: RawValues, plans: tuple[InputPlan, ...]) -> RawValues:
    """One sample as the model takes it: tensors ``(1, ...)`` by input.

    Args:
        raw: Its raw values.
        plans: How each input is prepared.

    Raises:
        DatasetError: The sample does not fit the model.
    """
    batch = RawBatch(
        first=0,
        inputs={name: values[np.newaxis] for name, values in raw.items()},
        labels=np.zeros(1),
        slices={},
    )
    return {plan.tensor.name: plan.apply(batch) for plan in plans}


def plans_from(preparations: tuple[InputPreparation, ...]) -> tuple[InputPlan, ...]:
    """The plans again, after they have crossed a process."""
    return tuple(
        InputPlan(tensor=each.tensor, section=each.section, axes=each.axes, unnamed=each.unnamed)
        for each in preparations
    )


def _rows(sample: EncodedRows) -> RawValues:
    lines = csv.reader(io.StringIO(sample.data.decode()), strict=True)
    figures = np.array([[float(cell) for cell in cells] for cells in lines], dtype=np.float64)
    if not sample.is_series:
        figures = figures[0]
    return {name: figures[..., list(columns)] for name, columns in sample.inputs.items()}


def _array(sample: EncodedArray) -> NDArray[Any]:
    return np.frombuffer(sample.data, dtype=np.dtype(sample.dtype)).reshape(sample.shape)
