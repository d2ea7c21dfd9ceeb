"""One sample as it arrives at a device, before anything was decoded.

Rules:

1. What stands here is what the device would receive: the bytes of a file, the text of a row, or the
   bytes of an array. Decoding them is the work of the datasets room.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from edgeworthy.documents.model import TensorSignature
from edgeworthy.documents.project import InputSection, Scores, Task
from edgeworthy.documents.record import Record

#: What samples arrive as.
EncodedForm: TypeAlias = Literal["image", "wav", "csv", "arrays"]


class EncodedImage(Record, frozen=True, kw_only=True, tag="image"):
    """The bytes of an image file."""

    data: bytes


class EncodedSound(Record, frozen=True, kw_only=True, tag="wav"):
    """The bytes of a wav file."""

    data: bytes


class EncodedRows(Record, frozen=True, kw_only=True, tag="csv"):
    """Lines of a table.

    Attributes:
        data: UTF-8 text, one line per row, the cells of the features alone.
        inputs: Positions of the cells of each input, by its name.
        is_series: Whether the rows are the times of one series; else there is one row.
    """

    data: bytes
    inputs: dict[str, tuple[int, ...]]
    is_series: bool


class EncodedArray(Record, frozen=True, kw_only=True):
    """Values in C order.

    Attributes:
        dtype: Numpy's name of their type.
        shape: Without a batch axis.
        data: Their bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class EncodedArrays(Record, frozen=True, kw_only=True, tag="arrays"):
    """Arrays by input."""

    arrays: dict[str, EncodedArray]


#: A sample in any form.
EncodedSample: TypeAlias = EncodedImage | EncodedSound | EncodedRows | EncodedArrays


class InputPreparation(Record, frozen=True, kw_only=True):
    """How the decoded values become one input of the model.

    Attributes:
        tensor: What the model takes.
        section: What the project file declares of it.
        axes: Letters of a decoded sample; empty when it comes in the model's layout.
        unnamed: Whether the sample may leave this input's name out.
    """

    tensor: TensorSignature
    section: InputSection
    axes: str
    unnamed: bool


class PipelinePlan(Record, frozen=True, kw_only=True):
    """The way from encoded samples to answers.

    Attributes:
        samples: As they arrive; queries take them in turn.
        inputs: How each input is prepared.
        task: What the outputs mean.
        scores: Whether a classifier's output needs a softmax.
        output: The output that is read; empty for the first.
        labels: Class names in the order of the output; may be empty.
    """

    samples: tuple[EncodedSample, ...]
    inputs: tuple[InputPreparation, ...]
    task: Task
    scores: Scores = "logits"
    output: str = ""
    labels: tuple[str, ...] = ()

    @property
    def form(self) -> EncodedForm:
        """What the samples arrive as."""
        forms: dict[type, EncodedForm] = {
            EncodedImage: "image",
            EncodedSound: "wav",
            EncodedRows: "csv",
        }
        return forms.get(type(self.samples[0]), "arrays")


def encoded_size_bytes(sample: EncodedSample) -> int:
    """Memory that a sample takes before it is decoded."""
    if isinstance(sample, EncodedArrays):
        return sum(len(array.data) for array in sample.arrays.values())
    return len(sample.data)
