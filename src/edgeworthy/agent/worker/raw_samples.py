"""Raw samples, as a client has them, made into the tensors that the model takes.

Rules:

1. The preparation is the release's, signed with it; a client never needs to know ``mean``, ``std``
   or the size of a picture.
2. An encoded picture or sound is decoded as the data sets of a build are; numbers are taken as an
   npz file would hold them, in the model's own layout.
3. What does not fit is the client's error, with what was expected.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.datasets.base import RawBatch
from edgeworthy.datasets.image_folder import decode_image
from edgeworthy.datasets.input_plan import InputPlan
from edgeworthy.datasets.wav_folder import decode_wav
from edgeworthy.documents.model import TensorSignature
from edgeworthy.documents.project import InputSection
from edgeworthy.documents.release import ReleaseManifest
from edgeworthy.errors import DatasetError, ProjectFileError

_RIFF = b"RIFF"
_HERE = "the request"


class RawSamples:
    """Prepares what a client sends.

    Args:
        manifest: The signed preparation.
    """

    def __init__(self, manifest: ReleaseManifest) -> None:
        self._tensors = manifest.signature.inputs
        self._sections = manifest.inputs

    def prepared(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The model's inputs.

        Args:
            given: By input name: numbers ``(n, ...)``, or ``(n,)`` of encoded pictures or sounds.

        Raises:
            HttpRefused: Something does not fit.
        """
        names = [tensor.name for tensor in self._tensors]
        if sorted(given) != sorted(names):
            raise HttpRefused(400, f"expected the inputs {_listed(names)}, not {_listed(given)}")
        counts = {len(values) if values.ndim else 0 for values in given.values()}
        if len(counts) != 1 or counts == {0}:
            raise HttpRefused(400, "every input needs the same number of samples, at least one")
        try:
            return {each.name: self._input(each, given[each.name]) for each in self._tensors}
        except (DatasetError, ProjectFileError) as error:
            raise HttpRefused(400, error.paragraph()) from error

    def _input(self, tensor: TensorSignature, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype.kind != "O":
            return self._plan(tensor, "").apply(_batch(tensor, values))
        rows = list(self._decoded(tensor, values))
        if len({row.shape for row in rows}) != 1:
            raise HttpRefused(400, f"the samples of input `{tensor.name}` differ in shape")
        return np.concatenate(rows)

    def _decoded(self, tensor: TensorSignature, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        for encoded in values.ravel():
            sample, axes, rate = decoded(encoded)
            plan = self._plan(tensor, axes)
            wanted = plan.section.sample_rate_hz
            if rate is not None and wanted is not None and rate != wanted:
                raise HttpRefused(400, f"the sound has {rate} Hz, and the model takes {wanted} Hz")
            yield plan.apply(_batch(tensor, sample[np.newaxis]))

    def _plan(self, tensor: TensorSignature, axes: str) -> InputPlan:
        section = self._sections.get(tensor.name, InputSection())
        return InputPlan(tensor=tensor, section=section, axes=axes, unnamed=False)


def decoded(encoded: bytes) -> tuple[NDArray[Any], str, int | None]:
    """One encoded sample: its values, the letters of its axes, its sample rate.

    Raises:
        DatasetError: It is damaged, or of no kind that is known.
    """
    if encoded.startswith(_RIFF) and encoded[8:12] == b"WAVE":
        values = decode_wav(io.BytesIO(encoded), where=_HERE)
        with wave.open(io.BytesIO(encoded)) as sound:
            rate = sound.getframerate()
        return values, "T" if values.ndim == 1 else "TC", rate
    return decode_image(io.BytesIO(encoded), where=_HERE), "HWC", None


def _batch(tensor: TensorSignature, values: NDArray[Any]) -> RawBatch:
    labels = np.zeros(len(values), np.int64)
    return RawBatch(first=0, inputs={tensor.name: values}, labels=labels, slices={})


def _listed(names: Mapping[str, Any] | list[str]) -> str:
    return ", ".join(f"`{name[:100]}`" for name in names) or "none"
